// Togather's server: serve, version, healthcheck.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Set at build time: -ldflags "-X main.Version=…"
var (
	Version   = "dev"
	GitCommit = "unknown"
	BuildDate = "unknown"
)

const message = "Change me and save."

const port = "8080"

type database interface {
	Ping(ctx context.Context) error
}

func main() {
	command := "serve"
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	var err error
	switch command {
	case "serve":
		err = serve()
	case "version":
		fmt.Printf("togather %s (%s, %s)\n", Version, GitCommit, BuildDate)
	case "healthcheck":
		err = healthcheck("http://127.0.0.1:" + port + "/health")
	default:
		err = fmt.Errorf("unknown command %q: serve, version or healthcheck", command)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// healthcheck asks the server that runs beside it: images without a shell have no curl.
func healthcheck(url string) error {
	client := http.Client{Timeout: 3 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

func routes(db database) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, message)
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{
			"version": Version, "git_commit": GitCommit, "build_date": BuildDate,
		})
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := db.Ping(ctx); err != nil {
			answer(w, http.StatusServiceUnavailable, map[string]string{"status": "degraded"})
			return
		}
		answer(w, http.StatusOK, map[string]string{"status": "healthy"})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Togather-Slot", os.Getenv("SLOT"))
		mux.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func serve() error {
	// SIGTERM and Ctrl-C: no new requests, the running ones are finished.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer pool.Close()

	server := &http.Server{
		Addr:              ":" + port,
		Handler:           routes(pool),
		ReadHeaderTimeout: 5 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	log.Printf("%s: version %s listens on %s", os.Getenv("SLOT"), Version, server.Addr)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}
