package main

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
)

type fake struct{ err error }

func (it fake) Ping(context.Context) error { return it.err }

func TestHealthcheck(t *testing.T) {
	well := httptest.NewServer(routes(fake{}))
	defer well.Close()
	if err := healthcheck(well.URL + "/health"); err != nil {
		t.Error(err)
	}
	ill := httptest.NewServer(routes(fake{errors.New("gone")}))
	defer ill.Close()
	if err := healthcheck(ill.URL + "/health"); err == nil {
		t.Error("an unreachable database is no health")
	}
}
