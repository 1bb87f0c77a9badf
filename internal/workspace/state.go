package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Trouble says why a vendor's API does not give what it is asked for: one of the words of package source, "" for
// none. It is an error, and holds no content.
type Trouble string

func (t Trouble) Error() string { return "the vendor's API: " + string(t) }

// SourceState is how far a source has been polled.
type SourceState struct {
	Checkpoint string    // JSON of package poll
	Account    string    // the vendor's id of the account behind the key
	Done       float64   // part of the history that was listed, 0 to 1
	Items      int64     // new objects so far
	Missing    []string  // lists that the key or the plan does not give
	PolledAt   time.Time // of the last poll that found everything; zero: none yet
	FreshAt    time.Time // of the last new object
	Trouble    Trouble
	TroubleAt  time.Time
}

// State reads how far a source has been polled; the zero state for one that never was.
func (s *Store) State(ctx context.Context, src Source) (SourceState, error) {
	var st SourceState
	var missing string
	var polled, fresh, trouble int64
	err := s.db.QueryRowContext(ctx, `SELECT checkpoint, account, done, items, missing, polled_at, fresh_at, trouble, trouble_at FROM source_state WHERE token_hash = ?`, src.hash[:]).
		Scan(&st.Checkpoint, &st.Account, &st.Done, &st.Items, &missing, &polled, &fresh, &st.Trouble, &trouble)
	if errors.Is(err, sql.ErrNoRows) {
		return SourceState{}, nil
	}
	if err != nil {
		return SourceState{}, fmt.Errorf("read the state of source %s: %w", src.Name, err)
	}
	if missing != "" {
		st.Missing = strings.Split(missing, ",")
	}
	st.PolledAt, st.FreshAt, st.TroubleAt = moment(polled), moment(fresh), moment(trouble)
	return st, nil
}

// SetState stores how far a source has been polled. It is durable when it returns nil.
func (s *Store) SetState(ctx context.Context, src Source, st SourceState) error {
	err := s.db.Tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO source_state(token_hash, checkpoint, account, done, items, missing, polled_at, fresh_at, trouble, trouble_at) VALUES(?,?,?,?,?,?,?,?,?,?)`,
			src.hash[:], st.Checkpoint, st.Account, st.Done, st.Items, strings.Join(st.Missing, ","), micros(st.PolledAt), micros(st.FreshAt), string(st.Trouble), micros(st.TroubleAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("store the state of source %s: %w", src.Name, err)
	}
	return nil
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Source finds a source by its name. ErrNotFound.
func (s *Store) Source(ctx context.Context, ws ID, name string) (Source, error) {
	src, err := s.scanSource(s.db.QueryRowContext(ctx, `SELECT `+sourceColumns+` FROM sources WHERE workspace = ? AND name = ? AND removed_at IS NULL`, ws.String(), name))
	if err != nil {
		return Source{}, fmt.Errorf("source %s: %w", name, err)
	}
	return src, nil
}

// Connection identifies a source beyond its name: one that was removed and connected again is another.
func (s Source) Connection() [32]byte { return s.hash }

// Pause keeps a source from being polled, or lets it go on.
func (s *Store) Pause(ctx context.Context, ws ID, name string, paused bool) error {
	return s.change(ctx, ws, name, func(tx *sql.Tx, _ Source, h [32]byte) error {
		_, err := tx.ExecContext(ctx, `UPDATE sources SET paused = ? WHERE token_hash = ?`, paused, h[:])
		return err
	})
}

// SetAPIKey gives a source another key for its vendor's API.
func (s *Store) SetAPIKey(ctx context.Context, ws ID, name, key string) error {
	return s.change(ctx, ws, name, func(tx *sql.Tx, src Source, h [32]byte) error {
		src.APIKey = key
		sealed, err := s.sealAPIKey(src)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE sources SET api_key = ? WHERE token_hash = ?`, sealed, h[:])
		return err
	})
}

// SetSecret makes a secret that the vendor chose the only live one.
func (s *Store) SetSecret(ctx context.Context, ws ID, name, secret string) error {
	return s.change(ctx, ws, name, func(tx *sql.Tx, _ Source, h [32]byte) error {
		sealed, err := s.sealSecrets(ws, h, []string{secret})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE sources SET secrets = ? WHERE token_hash = ?`, sealed, h[:])
		return err
	})
}
