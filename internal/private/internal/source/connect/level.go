package connect

// Level says how far the calls of a kind of source can be controlled, as status, API and pages show it:
//
//	L0  what comes in is what somebody else recorded: import only
//	L1  a refusal is known before a recording is fetched
//	L2  a recording is stopped and deleted over the platform's API, or by a telephony that obeys the control API
//	L3  murmur's own recorder hears a copy of the call and records nothing it may not
func Level(kind string) string {
	switch kind {
	case "quo":
		return "L1"
	case "twilio", "control":
		return "L2"
	case "recorder":
		return "L3"
	}
	return "L0"
}
