package csv

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// column is one column of the file: its header, the canonical field it feeds, and the unit its header
// names, as a factor to seconds.
type column struct {
	header string
	field  string
	unit   float64
}

// synonyms are the headers, lower-case letters and digits alone, by which real exports call a canonical
// field; an earlier one wins over a later one. A kind sees only the fields of fieldsOf.
var synonyms = map[string][]string{
	"id": {"id", "sourceid", "callid", "callsid", "messageid", "messagesid", "sid", "responseid", "token",
		"responsetoken", "uuid", "callguid", "uniqueid", "recordid", "externalid", "conversationid", "eventid"},
	"occurred_at": {"occurredat", "startedat", "started", "starttime", "startdatetime", "callstart", "callstarttime", "calltime",
		"calldatetime", "datetime", "dateandtime", "createdat", "created", "createdon", "datecreated", "createddate", "timestamp", "sentat",
		"senttime", "sentdate", "datesent", "receivedat", "submittedat", "submitdate", "submitteddate",
		"responsedate", "respondedat", "answerdate", "completiontime", "enddatesurvey", "start", "startdate", "begin",
		"datumuhrzeit", "zeitpunkt", "horodatage", "fecha", "uhrzeitdatum", "datestarted", "datestart", "startstamp", "whenstarted", "callstarted", "startedon", "starts", "datetimeutc", "startdateandtime", "begintime", "firstring", "createtime", "creationtime", "createdtime", "sendtime", "senton", "receivedon", "receivedtime", "respondedon", "responsetime", "respondeddate", "submittedon", "submissiontime", "submittime", "completedon", "gestartet", "beginn", "startzeit", "anrufbeginn", "inicio", "debut"},
	"date":       {"date", "calldate", "messagedate", "day", "datum", "datedappel"},
	"time":       {"time", "timeofday", "hour", "uhrzeit", "heure", "hora"},
	"updated_at": {"sourceupdatedat", "updatedat", "lastmodified", "modifiedat", "updated", "dateupdated", "updatedon", "updatetime"},
	"answered_at": {"answeredat", "answertime", "answered", "connectedat", "connecttime", "pickuptime",
		"answeredtime", "pickedupat", "answerstamp", "dateconnected", "connecteddate", "connectedtime", "answeredon", "connected", "connect", "angenommen"},
	"ended_at": {"endedat", "endtime", "completedat", "callend", "callendtime", "hangupat", "hanguptime",
		"enddatetime", "disconnectedat", "disconnecttime", "end", "ended", "endstamp", "dateended", "endeddate", "endedon", "finishedat", "finished", "hangup", "callended", "disconnected", "disconnect", "completed", "beendet", "endzeit", "ende", "fin"},
	"direction": {"direction", "calldirection", "messagedirection", "calltype", "messagetype", "type", "inout",
		"richtung", "sens", "direccion", "inboundoutbound", "inboundoroutbound", "incomingoutgoing", "calldirectiontype"},
	"from": {"from", "fromnumber", "fromphone", "fromphonenumber", "caller", "callernumber", "callerid",
		"callingnumber", "caller id number", "source", "sourcenumber", "sender", "sendernumber", "anrufer", "von", "origin", "src", "clid", "callernumbere164", "calleridnum", "calleridnumber", "fromname number", "ani", "callingparty", "originator", "origincallednumber", "anrufernummer", "absender"},
	"to": {"to", "tonumber", "tophone", "tophonenumber", "callee", "calleenumber", "called", "callednumber",
		"dialednumber", "destination", "destinationnumber", "recipient", "recipientnumber", "receiver", "an", "ziel", "dst", "destinationphonenumber", "calledparty", "dnis", "dialed", "dialled", "diallednumber", "tonumbere164", "empfanger", "empfänger", "angerufen"},
	"contact": {"contact", "phone", "phonenumber", "contactphone", "contactnumber", "customerphone",
		"customernumber", "customerphonenumber", "customer", "externalnumber", "clientphone", "mobile", "mobilenumber", "cell",
		"respondentphone", "participant", "telefon", "telefonnummer", "telephone", "externalphonenumber", "contactphonenumber", "callernumbername", "prospectphone", "otherparty", "otherpartynumber", "remotenumber", "respondentphonenumber", "phonee164", "rufnummer"},
	"email": {"email", "emailaddress", "contactemail", "customeremail", "respondentemail", "recipientemail", "mail", "respondentemailaddress", "personemail", "useremail", "customeremailaddress"},
	"contact_name": {"contactname", "customername", "callername", "name", "fullname", "calleridname",
		"respondent", "respondentname", "clientname", "personname", "customerfullname", "respondentfullname", "kunde"},
	"number": {"number", "businessnumber", "internalnumber", "line", "linename", "inbox", "inboxname",
		"phoneline", "phonenumberid", "trackingnumber", "numbername", "workspacenumber", "ournumber", "did", "internalphonenumber", "companynumber", "companyphonenumber", "didnumber", "inboundnumber", "linenumber", "trackingphonenumber", "viaphonenumber"},
	"team": {"team", "teamname", "department", "queue", "queuename", "group", "ringgroup", "callqueue", "huntgroup", "skill", "skillgroup", "callgroup", "abteilung"},
	"member": {"member", "agent", "agentname", "user", "username", "answeredby", "employee", "extension",
		"handledby", "operator", "staff", "rep", "mitarbeiter", "agentemail", "assignee", "assignedto", "owner", "answeredbyname", "answeredbyuser", "userid", "agentid", "bearbeiter"},
	"outcome": {"outcome", "result", "callresult", "callstatus", "status", "disposition", "callresponse",
		"state", "calloutcome", "actionresult", "action", "stepoutcome", "resultdescription", "hangupcause", "endreason", "missedcallreason", "terminationreason", "ergebnis"},
	"ring_s": {"ring", "rings", "ringtime", "ringduration", "ringingtime", "ringing", "waittime", "waitduration",
		"queuetime", "queueduration", "timetoanswer", "speedofanswer", "wait", "timetoansweringseconds", "ringsec", "ringseconds", "holdbeforeanswer", "klingeldauer", "waiting"},
	"talk_s": {"talk", "talks", "talktime", "talkduration", "duration", "callduration", "billsec", "billableseconds",
		"conversationtime", "callduration", "totalduration", "length", "calllength", "dauer", "duree", "duracion", "talking", "durationincall", "incallduration", "talksec", "handletime", "connectedduration", "gesprachsdauer", "gesprächsdauer"},
	"voicemail":  {"voicemail", "hasvoicemail", "leftvoicemail", "vm", "voicemailleft", "isvoicemail", "voicemailurl", "hasvm"},
	"status":     {"status", "messagestatus", "deliverystatus", "state"},
	"error_code": {"errorcode", "error"},
	"media":      {"media", "mediacount", "nummedia", "attachments", "numberofattachments"},
	"body": {"body", "message", "text", "messagebody", "messagetext", "messagecontent", "content", "sms",
		"smstext", "smsbody", "nachricht", "mensaje", "textbody", "messagebodytext", "contents", "texto", "texte", "inhalt"},
	"automatic": {"automatic", "automated", "autoreply", "isautomated", "isautomatic"},
	"survey":    {"survey", "surveyname", "surveyid", "form", "formid", "formname", "surveytitle", "campaign", "surveyno", "questionnaire", "surveycampaign"},
	"scale":     {"scale", "metric", "surveytype", "scoretype", "kind"},
	"score": {"score", "npsscore", "nps", "csat", "csatscore", "ces", "cesscore", "rating", "stars", "starrating",
		"netpromoterscore", "howlikely", "satisfaction", "satisfactionscore", "thumb", "thumbs", "points", "bewertung", "note", "answerscore", "npsrating", "csatrating", "recommendationscore", "likelihoodtorecommend", "scorevalue", "ratingvalue", "punkte"},
	"comment": {"comment", "comments", "feedback", "reason", "responsetext", "verbatim", "openresponse",
		"additionalcomments", "answer", "response", "kommentar", "commentaire", "feedbacktext", "openended", "whyscore", "scorereason", "additionalfeedback", "remark", "remarks", "anmerkung"},
	"medium":       {"medium", "channel", "via", "surveychannel", "sourcechannel", "distributionchannel", "surveymethod", "deliverymethod", "surveymedium"},
	"asked_at":     {"askedat", "surveysentat", "invitedat", "sentat", "surveysent"},
	"link":         {"link", "callid", "messageid", "relatedcall", "callsid", "ticketid"},
	"run":          {"run", "callid", "callsid", "runid", "executionid", "executionsid", "sessionid", "conversationid"},
	"flow":         {"flow", "flowname", "flowid", "workflow", "workflowname", "ivr", "ivrname", "menuname"},
	"flow_version": {"flowversion", "version", "revision", "flowrevision"},
	"node":         {"node", "nodename", "nodeid", "step", "stepname", "widget", "widgetname", "menu", "block", "state"},
	"node_kind":    {"nodekind", "nodetype", "steptype", "widgettype", "blocktype"},
	"key":          {"key", "digit", "digits", "choice", "selection", "menuselection", "option", "keypressed", "input", "phonemenuselection"},
	"label":        {"label", "optionname", "choicename", "selectionname", "keylabel", "phonemenuselectionname"},
	"in_at":        {"inat", "enteredat", "entrytime", "stepstart"},
	"out_at":       {"outat", "exitedat", "leftat", "exittime", "stepend"},
	"inferred":     {"inferred", "guessed"},
}

var (
	head   = []string{"id", "occurred_at", "date", "time", "updated_at"}
	people = []string{"from", "to", "contact", "email", "contact_name", "number", "member", "direction"}
)

// fieldsOf are the fields of a kind; where two could take one header, the earlier field gets it.
var fieldsOf = map[string][]string{
	"calls": slices.Concat(head, people, []string{"team", "outcome", "answered_at", "ended_at", "ring_s",
		"talk_s", "voicemail"}),
	"messages": slices.Concat(head, people, []string{"body", "status", "error_code", "media", "automatic"}),
	"surveys": slices.Concat([]string{"asked_at", "link", "score", "comment", "survey", "scale", "medium"},
		head, []string{"contact", "email", "contact_name"}),
	"steps": slices.Concat([]string{"run", "node", "node_kind", "key", "label", "flow", "flow_version"},
		head, []string{"outcome", "in_at", "out_at", "inferred", "contact", "number"}),
}

// mapHeaders finds the kind and what each column means.
func mapHeaders(headers []string, o Options) (string, []column, error) {
	if o.Kind != "" {
		if fieldsOf[o.Kind] == nil {
			return "", nil, errors.New("csv: unknown kind; use calls, messages, surveys or steps")
		}
		columns, err := mapKind(o.Kind, headers, o.Map)
		if err == nil && !fits(o.Kind, columns) {
			err = ErrNoKind
		}
		return o.Kind, columns, err
	}
	var fault error = ErrNoKind
	for _, kind := range []string{"steps", "calls", "messages", "surveys"} {
		columns, err := mapKind(kind, headers, o.Map)
		if err != nil {
			fault = err
			continue
		}
		if fits(kind, columns) && telling(kind, columns) {
			return kind, columns, nil
		}
	}
	if columns, err := mapKind("calls", headers, o.Map); err == nil && fits("calls", columns) {
		return "calls", columns, nil
	}
	return "", nil, fault
}

// fits reports whether the columns can make an event of the kind at all.
func fits(kind string, columns []column) bool {
	has := fieldSet(columns)
	if !has["occurred_at"] && !has["date"] && !has["time"] && !(kind == "steps" && has["in_at"]) {
		return false
	}
	switch kind {
	case "surveys":
		return has["score"] || has["comment"]
	case "steps":
		return has["node"] || has["key"]
	case "messages":
		return has["body"] || has["status"] || has["direction"]
	}
	return has["direction"] || has["outcome"] || has["talk_s"] || has["answered_at"]
}

// telling reports headers that only this kind has.
func telling(kind string, columns []column) bool {
	has := fieldSet(columns)
	switch kind {
	case "steps":
		return has["key"] || has["node"] && has["flow"]
	case "calls":
		return has["talk_s"] || has["ring_s"] || has["answered_at"] || has["voicemail"]
	case "messages":
		return has["body"] && !has["score"]
	}
	return has["score"] || has["comment"]
}

func fieldSet(columns []column) map[string]bool {
	has := map[string]bool{}
	for _, c := range columns {
		has[c.field] = true
	}
	return has
}

// mapKind gives each header at most one field and each field at most one header.
func mapKind(kind string, headers []string, given map[string]string) ([]column, error) {
	columns := make([]column, len(headers))
	plain := make([]string, len(headers))
	for i, h := range headers {
		plain[i], columns[i].unit = stripUnit(h)
		columns[i].header = h
	}
	for field, header := range given {
		i := slices.Index(headers, header)
		if i < 0 {
			return nil, fmt.Errorf("csv: the mapping of %s names a header that is not in the file", field)
		}
		if slices.Contains(fieldsOf[kind], field) {
			columns[i].field = field
		}
	}
	for _, field := range fieldsOf[kind] {
		if _, ok := given[field]; ok {
			continue
		}
		for _, name := range synonyms[field] {
			if i := slices.Index(plain, name); i >= 0 && columns[i].field == "" {
				columns[i].field = field
				break
			}
		}
	}
	if kind == "surveys" {
		mapQuestions(columns, plain)
	}
	return columns, nil
}

// questions are the parts of a survey's questions by which its answers are known: some tools head the column of the
// scores with the question itself.
var questions = []struct{ field, part string }{
	{"score", "recommend"}, {"score", "satisfiedareyou"}, {"score", "easywasit"}, {"score", "rateyour"},
	{"comment", "reasonforyourscore"}, {"comment", "reasonforyourrating"}, {"comment", "canweimprove"}, {"comment", "couldweimprove"}, {"comment", "anythingelse"}, {"comment", "tellusmore"},
}

// mapQuestions gives score and comment, where no header names them, to the first question that asks for them.
func mapQuestions(columns []column, plain []string) {
	has := fieldSet(columns)
	for _, q := range questions {
		i := slices.IndexFunc(plain, func(h string) bool { return strings.Contains(h, q.part) })
		if i >= 0 && !has[q.field] && columns[i].field == "" {
			columns[i].field, has[q.field] = q.field, true
		}
	}
}

// stripUnit normalises a header and takes a unit of time off its end.
func stripUnit(header string) (string, float64) {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, header)
	for _, u := range []struct {
		suffix string
		factor float64
	}{
		{"milliseconds", 0.001}, {"inseconds", 1}, {"seconds", 1}, {"secs", 1}, {"sec", 1},
		{"inminutes", 60}, {"minutes", 60}, {"mins", 60}, {"min", 60}, {"ms", 0.001}, {"inhours", 3600}, {"hours", 3600},
	} {
		if stem, ok := strings.CutSuffix(plain, u.suffix); ok && isDuration(stem) {
			return stem, u.factor
		}
	}
	if stem, ok := strings.CutSuffix(plain, "s"); ok && strings.HasSuffix(strings.TrimSpace(header), "(s)") {
		return stem, 1
	}
	for _, zone := range []string{"utc", "gmt"} {
		if stem, ok := strings.CutSuffix(plain, zone); ok && stem != "" {
			return stem, 1
		}
	}
	return plain, 1
}

func isDuration(stem string) bool {
	return slices.Contains(synonyms["ring_s"], stem) || slices.Contains(synonyms["talk_s"], stem)
}

// ParseMap reads the YAML of `murmur import --map`: canonical field: header.
func ParseMap(b []byte) (map[string]string, error) {
	if len(b) > maxRecord {
		return nil, fmt.Errorf("csv: the mapping has %d bytes, more than %d", len(b), maxRecord)
	}
	var m map[string]string
	if err := yaml.Unmarshal(b, &m); err != nil {
		return nil, errors.New("csv: the mapping is not YAML of the form field: header")
	}
	for field := range m {
		if synonyms[field] == nil {
			return nil, fmt.Errorf("csv: the mapping has a field that does not exist; fields: %s",
				strings.Join(Fields(), ", "))
		}
	}
	return m, nil
}

// Fields are the canonical fields a mapping may name, in alphabetical order.
func Fields() []string {
	var names []string
	for name := range synonyms {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
