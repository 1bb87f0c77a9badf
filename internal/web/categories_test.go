package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"murmur/internal/web/webtest"
)

func TestTheSettingsSayHowWellACategoryIsTold(t *testing.T) {
	t.Parallel()
	settings := page(t, with(webtest.New()), "/settings", nil, http.StatusOK)
	has(t, "/settings", settings, "Solar quote", "about 87 of 100 texts (56 to 100)", "it knew 10 of 12", "Rental van", "not known yet", "Hi, this is [PERSON], do you do solar?")
	has(t, "an empty /settings", page(t, with(webtest.Fresh()), "/settings", nil, http.StatusOK), "No reason of your own yet")
}

func TestACategoryIsMadeOnThePage(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	typed := url.Values{"name": {"Broken boiler"}, "like": {"my boiler is cold\n\nno hot water\r\n"}, "unlike": {"a new boiler"}}
	has(t, "the form", page(t, b, "/settings/category", typed, http.StatusUnprocessableEntity), "8 sentences at least", "Broken boiler", "my boiler is cold", "a new boiler", `role="alert"`)
	typed.Set("like", strings.Repeat("no hot water\r\n", 8))
	if w := b.ask("owner", "/settings/category", typed); w.Code != http.StatusSeeOther || !strings.HasSuffix(w.Header().Get("Location"), "done=category") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if c := b.Named[2]; c.Name != "Broken boiler" || len(c.Like) != 8 || c.Like[7] != "no hot water" || len(c.Unlike) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestACategoryIsRenamedAndForgottenOnThePage(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	rename := url.Values{"id": {"0000000a"}, "name": {"Rental van"}}
	has(t, "a taken name", page(t, b, "/settings/category/rename", rename, http.StatusUnprocessableEntity), "another one has that name")
	rename.Set("name", "Panels")
	if w := b.ask("owner", "/settings/category/rename", rename); w.Code != http.StatusSeeOther || b.Named[0].Name != "Panels" {
		t.Errorf("%d %+v", w.Code, b.Named[0])
	}
	for _, want := range []int{http.StatusSeeOther, http.StatusNotFound} {
		if w := b.ask("owner", "/settings/category/remove", url.Values{"id": {"0000000a"}}); w.Code != want {
			t.Errorf("%d, want %d", w.Code, want)
		}
	}
	for _, path := range []string{"/settings/category", "/settings/category/rename", "/settings/category/remove"} {
		if w := b.ask("viewer", path, rename); w.Code != http.StatusForbidden {
			t.Errorf("%s as a viewer: %d", path, w.Code)
		}
	}
}

// What else people write about is shown to the owner, who may make it a reason.
func TestSubjectsAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	b := with(webtest.New())
	has(t, "/topics", page(t, b, "/topics", nil, http.StatusOK), `href="/topics/else"`)
	has(t, "/topics/else", page(t, b, "/topics/else", nil, http.StatusOK), "dog, allowed, office", "20-49 people", `href="/settings?reason=dog#categories"`)
	has(t, "the form", page(t, b, "/settings?reason=dog", nil, http.StatusOK), `value="dog"`)
	has(t, "no weeks", page(t, with(webtest.Fresh()), "/topics/else", nil, http.StatusOK), "Nothing yet")
	if w := b.ask("viewer", "/topics/else", nil); w.Code != http.StatusForbidden {
		t.Errorf("a viewer: %d", w.Code)
	}
	if w := b.ask("viewer", "/topics", nil); strings.Contains(w.Body.String(), "/topics/else") {
		t.Error("a viewer is led there")
	}
	if got := b.call("owner", "GET", "/v1/subjects", "").Body.String(); !strings.Contains(got, `"words":["wasps"],"contacts":"10-19"`) {
		t.Errorf("%s", got)
	}
	if w := b.call("viewer", "GET", "/v1/subjects", ""); w.Code != http.StatusForbidden {
		t.Errorf("the API for a viewer: %d", w.Code)
	}
}
