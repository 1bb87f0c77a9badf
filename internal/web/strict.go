package web

import (
	"errors"
	"io"

	"github.com/danielgtaylor/huma/v2"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The errors about a body never repeat it, because a field's name may be somebody's number.
var (
	errTwice   = errors.New("a field is named twice")
	errNotJSON = errors.New("not a JSON value of this form, or something stands behind it")
)

// strictJSON reads every body of the API (RFC 8259, RFC 7493): each field once and by its exact name, valid UTF-8, and
// nothing behind the value.
var strictJSON = huma.Format{
	Marshal: huma.DefaultJSONFormat.Marshal,
	Unmarshal: func(b []byte, v any) error {
		err := jsonv2.Unmarshal(b, v, jsonv2.RejectUnknownMembers(true))
		switch {
		case err == nil:
			return nil
		case errors.Is(err, jsontext.ErrDuplicateName):
			return errTwice
		}
		return errNotJSON
	},
}

// init has the API tell fields apart by case, as the decoder does.
func init() { huma.ValidateStrictCasing = true }

// linesOf reads as strictJSON and writes with marshal.
func linesOf(marshal func(io.Writer, any) error) huma.Format {
	return huma.Format{Marshal: marshal, Unmarshal: strictJSON.Unmarshal}
}
