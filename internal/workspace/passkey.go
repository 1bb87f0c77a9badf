package workspace

import (
	"context"
	"crypto/sha256"
	"database/sql"
)

// PasskeyRole is the role under which a passkey is listed. It gives no access to a page or the API by
// itself: the device must sign.
const PasskeyRole Role = "passkey"

// passkeyHash is the key under which a credential's id is stored; it is never the hash of a possible
// token.
func passkeyHash(id []byte) [32]byte { return sha256.Sum256(append([]byte("passkey\x00"), id...)) }

// AddPasskey keeps a credential of a device for MaxTokenLife. ErrExists.
func (s *Store) AddPasskey(ctx context.Context, ws ID, id, credential []byte) error {
	h := passkeyHash(id)
	return s.db.Tx(ctx, func(tx *sql.Tx) error {
		var known bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS(SELECT 1 FROM passkeys WHERE hash = ?)`, h[:]).Scan(&known); err != nil {
			return err
		} else if known {
			return ErrExists
		}
		if err := s.addToken(ctx, tx, h, ws.String(), PasskeyRole, MaxTokenLife); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO passkeys(hash, credential) VALUES(?,?)`, h[:], credential)
		return err
	})
}

// Passkeys are the credentials of a workspace that have not ended.
func (s *Store) Passkeys(ctx context.Context, ws ID) (all [][]byte, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT credential FROM passkeys JOIN tokens USING(hash) WHERE workspace = ? AND role = ? AND expires_at > ?`,
		ws.String(), string(PasskeyRole), s.now().UnixMicro())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, rows.Err()
}

// UsedPasskey keeps a credential as it is after it was used: with how often the device says it signed. ErrNotFound.
func (s *Store) UsedPasskey(ctx context.Context, id, credential []byte) error {
	h := passkeyHash(id)
	return s.affect(ctx, `UPDATE passkeys SET credential = ? WHERE hash = ?`, credential, h[:])
}
