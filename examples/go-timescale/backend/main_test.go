package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

type fake struct{ err error }

func (it fake) Ping(context.Context) error { return it.err }

func TestHealth(t *testing.T) {
	for path, want := range map[string][2]int{
		"/healthz": {http.StatusOK, http.StatusOK},
		"/readyz":  {http.StatusOK, http.StatusServiceUnavailable},
		"/health":  {http.StatusOK, http.StatusServiceUnavailable},
	} {
		for i, db := range []fake{{}, {errors.New("gone")}} {
			answer := httptest.NewRecorder()
			routes(db).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
			if answer.Code != want[i] {
				t.Errorf("%s: got %d, want %d", path, answer.Code, want[i])
			}
		}
	}
}
