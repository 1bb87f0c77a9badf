package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"murmur/internal/private/internal/source"
)

// Owns implements source.Controller.
func (Source) Owns(call string) bool {
	return len(call) == 34 && strings.HasPrefix(call, "CA") && strings.Trim(call[2:], "0123456789abcdef") == ""
}

func recordings(call string) string { return "/Calls/" + url.PathEscape(call) + "/Recordings" }

// StartRecording implements source.Controller: both sides of the call, each in a channel of its own, from now on.
func (Source) StartRecording(ctx context.Context, api source.API, call string) error {
	_, err := api.Ask(ctx, source.Request{Method: "POST", Path: recordings(call) + ".json", Form: url.Values{
		"RecordingChannels": {"dual"}, "RecordingTrack": {"both"}, "Trim": {"do-not-trim"},
	}})
	return err
}

// StopRecording implements source.Controller. Twilio.CURRENT is the recording that runs: its own id need not be known.
func (Source) StopRecording(ctx context.Context, api source.API, call string) error {
	_, err := api.Ask(ctx, source.Request{Method: "POST", Path: recordings(call) + "/Twilio.CURRENT.json", Form: url.Values{"Status": {"stopped"}}})
	return err
}

// DeleteRecordings implements source.Controller. The transcripts go first: they are listed by their recording, and would not
// be found any more.
func (Source) DeleteRecordings(ctx context.Context, api source.API, call string) (int, error) {
	all, err := recordingsOf(ctx, api, call)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, r := range all {
		err := deleteTranscripts(ctx, api, r.SID)
		if err == nil {
			err = remove(ctx, api, "/Recordings/"+url.PathEscape(r.SID)+".json")
		}
		errs = append(errs, err)
	}
	return len(all), errors.Join(errs...)
}

func deleteTranscripts(ctx context.Context, api source.API, recording string) error {
	objects, next, err := list(ctx, api, "/Recordings/"+url.PathEscape(recording)+"/Transcriptions.json", "transcriptions", nil)
	if errors.Is(err, source.TroubleMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, raw := range objects {
		var t struct {
			SID string `json:"sid"`
		}
		if json.Unmarshal(raw, &t) != nil || t.SID == "" {
			return source.TroubleCut
		}
		if err := remove(ctx, api, "/Transcriptions/"+url.PathEscape(t.SID)+".json"); err != nil {
			return err
		}
	}
	if next != "" {
		return deleteTranscripts(ctx, api, recording) // those of this page are gone
	}
	return nil
}

// remove deletes an object; one that is not there any more is as good.
func remove(ctx context.Context, api source.API, path string) error {
	_, err := api.Ask(ctx, source.Request{Method: "DELETE", Path: path})
	if errors.Is(err, source.TroubleMissing) {
		return nil
	}
	return err
}

var (
	_ source.Addressed  = Source{}
	_ source.Splitter   = Source{}
	_ source.Poller     = Source{}
	_ source.Fetcher    = Source{}
	_ source.Controller = Source{}
	_ source.Keyed      = Source{}
)
