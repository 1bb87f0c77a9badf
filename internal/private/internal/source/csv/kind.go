package csv

import (
	"cmp"
	"math"

	"murmur/internal/fact"
	"murmur/internal/private/internal/source"
)

func (r *row) call() {
	direction := r.word("direction", directionWords)
	outcome := r.word("outcome", outcomeWords)
	if outcome == "" || outcome == "unknown" { // a call type may be Missed or Voicemail
		if w, ok := outcomeWords[plainWord(r.cell("direction"))]; ok {
			outcome = w
		}
	}
	answered, isFlag := parseBool(r.cell("answered_at"))
	if !isFlag {
		r.putTime("answered_at", "answered_at")
	} else if outcome == "" || outcome == "unknown" {
		outcome = map[bool]string{true: "answered", false: "missed"}[answered]
	}
	r.putTime("ended_at", "ended_at")
	r.seconds("ring_s")
	talk, talked := r.seconds("talk_s")
	voicemail := r.flag("voicemail")
	if (direction == "" || direction == "unknown") && missedWords[outcome] {
		direction = "in"
	}
	switch {
	case voicemail && direction == "in" && (outcome == "" || outcome == "answered" || outcome == "unknown"):
		outcome = "voicemail"
	case outcome == "" && talked && talk == 0:
		outcome = "missed"
	}
	if direction == "out" && missedWords[outcome] {
		outcome = "failed"
	}
	if direction == "in" && outcome == "failed" {
		outcome = "missed"
	}
	r.put("direction", direction)
	r.put("outcome", outcome)
	r.text("team")
	r.party(direction)
}

// missedWords are the outcomes that only an inbound call has.
var missedWords = map[string]bool{
	"missed": true, "voicemail": true, "short_abandoned": true, "out_of_hours": true, "no_member_available": true,
	"members_did_not_answer": true, "abandoned_in_menu": true, "abandoned": true,
}

func (r *row) message() {
	status := r.word("status", statusWords)
	direction := r.word("direction", directionWords)
	if direction == "" || direction == "unknown" {
		switch status {
		case "received":
			direction = "in"
		case "sent", "delivered", "undelivered":
			direction = "out"
		}
	}
	if status == "" && direction == "in" {
		status = "received"
	}
	r.put("direction", direction)
	r.put("status", status)
	r.text("body")
	r.flag("automatic")
	for _, field := range []string{"error_code", "media"} {
		if f, ok := parseNumber(r.cell(field)); ok && f > 0 && f == math.Trunc(f) {
			r.count(field, f)
		}
	}
	r.party(direction)
}

func (r *row) answer() {
	r.put("survey", cmp.Or(r.cell("survey"), "import"))
	r.put("medium", r.word("medium", mediumWords))
	r.putTime("asked_at", "asked_at")
	r.text("comment", "link")
	score, scored := r.number("score")
	if !scored && r.cell("comment") == "" && r.bad == nil {
		r.bad = source.Ignore(fact.WhyNoScore)
	}
	if scored {
		scale := r.word("scale", scaleWords)
		if scale == "" || scale == "unknown" {
			scale = r.b.scale
		}
		r.count("score", score)
		r.put("scale", scale)
	}
	r.party("in")
}

func (r *row) step() {
	r.text("run", "flow_version", "label")
	r.put("flow", cmp.Or(r.cell("flow"), "import"))
	r.put("node", cmp.Or(r.cell("node"), "menu"))
	kind := r.word("node_kind", nodeWords)
	if kind == "" && r.cell("key") != "" {
		kind = "menu"
	}
	r.put("node_kind", kind)
	outcome := r.word("outcome", stepWords)
	key := r.cell("key")
	if key == "" && outcome == "timeout" {
		key = "none"
	}
	if outcome == "" && key != "" {
		outcome = map[bool]string{true: "timeout", false: "matched"}[key == "none"]
	}
	r.put("key", key)
	r.put("outcome", outcome)
	r.putTime("in_at", "in_at")
	r.putTime("out_at", "out_at")
	r.flag("inferred")
	r.party("in")
}
