package invent

import (
	"strconv"
	"strings"
)

// slots are what a template may name, without the 2 or 3 of another person or number behind it.
//
//	persons    {first} {last} {full} {name} (any form) {mr} (title and surname) {nick} {agent} (who answers) {artist}
//	places     {city} {state} {country} {place} (any) {street} (number and street) {road} (street alone) {address}
//	           (street, town, code) {postcode} {landmark} (no label)
//	time       {when} ("on Friday", "tomorrow") {past} ("yesterday") {day} ("Friday") {date} (of a calendar) {dob} {age}
//	numbers    {phone} {card} {expiry} {cvv} {ssn} {iban} {account} {routing} {pin} {code} {order} {policy} {licence}
//	           {passport} {plate} {vin}
//	net        {email} {user} {handle} {password} {url} {ip}
//	business   {org} {brand} (don't care)
//	no label   {time} {price} {num} {nth} {item}
var slots map[string]func(w *writer, key, mod string)

func init() { // the table and the functions name each other
	slots = map[string]func(w *writer, key, mod string){
		"first": person((*writer).first), "last": person((*writer).last), "nick": person((*writer).nick),
		"full": (*writer).full, "name": (*writer).name, "mr": (*writer).mr,
		"agent": person((*writer).first), "artist": (*writer).artist,

		"city": (*writer).city, "state": (*writer).state, "country": (*writer).country, "place": (*writer).place,
		"street": (*writer).street, "road": (*writer).road, "address": (*writer).address, "postcode": (*writer).postcode,
		"landmark": plainOf(landmarks),

		"when": (*writer).when, "past": (*writer).past, "day": (*writer).day, "date": (*writer).date, "dob": (*writer).dob,
		"age": (*writer).age, "time": (*writer).time,

		"phone": (*writer).phone, "card": (*writer).card, "expiry": (*writer).expiry,
		"cvv":     number("CVV", "999", "999", "999", "9999"),
		"ssn":     number("SSN", "999-99-9999", "999-99-9999", "999 99 9999", "999999999"),
		"iban":    (*writer).iban,
		"account": number("BANK_ACCT", "99999999", "999999999", "9999999999", "999999999999", "9999 9999", "999-999-999"),
		"routing": number("BANK_ACCT", "999999999", "99-99-99", "999999"),
		"pin":     number("PIN", "9999", "9999", "9999", "999999", "99999"),
		"code":    number("PIN", "999999", "9999", "999 999", "A9A9A9", "99999"),
		"order": number("ID", "99999", "999999", "#99999", "A99999", "AA-999999", "WO-99999", "999-9999999-9999999", "#A9A99",
			"99999999", "INV-99999", "AAA999999", "999999999", "RX9999999", "TKT-999999", "9999-9999", "AA9999AA"),
		"policy":   number("ID", "AAA-9999999", "99999999", "AA99 9999 99", "P9999999", "A999-9999-99", "9999999999", "AAA99999999A", "HO-99999999"),
		"licence":  number("ID", "A9999999", "99999999", "A999-9999-9999", "AAAAA999999AA9AA", "A99999999", "999999999", "AA999999A"),
		"passport": number("ID", "A99999999", "999999999", "AA999999", "AA9999999", "A9999999"),
		"plate":    number("VEHICLE", "AA99 AAA", "9AAA999", "AAA 9999", "AAA-9999", "AAA999", "AA-999-AA", "A99 AAA", "999 AAA", "AA99AAA"),
		"vin":      number("VEHICLE", "9AAAA99A9AA999999", "AA9AA99A99A999999"),

		"email": (*writer).email, "user": (*writer).user, "handle": (*writer).handle, "password": (*writer).password, "url": (*writer).url, "ip": (*writer).ip,

		"org": (*writer).org, "brand": (*writer).brand,

		"price": (*writer).price, "num": (*writer).num, "nth": plainOf(ordinalWords), "item": plainOf(items),
	}
}

// label adds a labelled piece.
func (w *writer) label(typ, text string) { w.out = append(w.out, piece{text: text, typ: typ}) }

func (w *writer) labelRaw(typ, text string) {
	w.out = append(w.out, piece{text: text, typ: typ, raw: true})
}

func plainOf(list []string) func(*writer, string, string) {
	return func(w *writer, key, _ string) {
		w.plain(w.once(key, func() string { return pick(w.r, list) }))
	}
}

// number is a slot of digits 9 and letters A, in one of the shapes.
func number(typ string, shapes ...string) func(*writer, string, string) {
	return func(w *writer, key, mod string) {
		v := w.once(key, func() string { return w.shaped(pick(w.r, shapes)) })
		w.digits(typ, part(v, mod))
	}
}

// shaped fills a shape: 9 is a digit, A a letter, the rest itself. Letters that name a series ("WO-") stay.
func (w *writer) shaped(shape string) string {
	if i := strings.IndexByte(shape, '-'); i > 0 && strings.Trim(shape[:i], "A9 ") != "" {
		return shape[:i] + w.shaped(shape[i:])
	}
	b := []byte(shape)
	for i, c := range b {
		switch c {
		case '9':
			b[i] = byte('0' + w.r.IntN(10))
		case 'A':
			b[i] = "ABCDEFGHJKLMNPRSTUVWXYZ"[w.r.IntN(23)]
		}
	}
	return string(b)
}

// part cuts "1/4", the first of four groups, or "last4" out of a value; other modifiers leave it whole.
func part(v, mod string) string {
	i, n, ok := strings.Cut(mod, "/")
	var symbols []byte
	for _, c := range []byte(v) {
		if c != ' ' && c != '-' {
			symbols = append(symbols, c)
		}
	}
	switch {
	case mod == "last4" && len(symbols) > 4:
		return string(symbols[len(symbols)-4:])
	case ok:
		k, _ := strconv.Atoi(i)
		of, _ := strconv.Atoi(n)
		return string(symbols[(k-1)*len(symbols)/of : k*len(symbols)/of])
	}
	return v
}

// digits labels a number, written or said.
func (w *writer) digits(typ, v string) {
	if w.style.spoken {
		w.labelRaw(typ, w.say(v))
		return
	}
	switch w.r.IntN(8) {
	case 0:
		v = strings.NewReplacer("-", " ", "#", "").Replace(v)
	case 1:
		v = strings.NewReplacer("-", "", " ", "").Replace(v)
	case 2:
		v = strings.ToLower(v)
	}
	w.labelRaw(typ, strings.TrimSpace(v))
}

func (w *writer) phone(key, mod string) {
	v := w.once(key, func() string {
		return w.shaped(pick(w.r, phoneShapes))
	})
	if mod != "" {
		digits := strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' {
				return c
			}
			return -1
		}, v)
		v = part(digits, mod)
	}
	w.digits("PHONE", v)
}

var phoneShapes = []string{"999-999-9999", "999-999-9999", "(999) 999-9999", "(999) 999-9999", "9999999999", "9999999999", "999.999.9999",
	"999 999 9999", "+1 999 999 9999", "+1-999-999-9999", "+19999999999", "1-800-999-9999", "999-9999", "07999 999999", "07999999999",
	"020 7999 9999", "01999 999 999", "+44 7999 999999", "0161 999 9999", "+49 30 9999999", "+33 6 99 99 99 99", "+91 99999 99999",
	"04 9999 9999", "1 999 999 9999", "+61 4 9999 9999", "(02) 9999 9999", "001-999-999-9999", "999-999-9999x999", "+353 87 999 9999"}

func (w *writer) card(key, mod string) {
	v := w.once(key, func() string {
		switch w.r.IntN(8) {
		case 0:
			return w.luhn("37", 15)
		case 1, 2:
			return w.luhn("5"+strconv.Itoa(1+w.r.IntN(5)), 16)
		case 3:
			return w.luhn("6011", 16)
		case 4:
			return w.shaped("4999999999999999") // a digit heard wrongly: no check holds
		default:
			return w.luhn("4", 16)
		}
	})
	if mod != "" {
		w.digits("CREDIT_CARD", part(v, mod))
		return
	}
	if sep := pick(w.r, []string{"", " ", " ", "-"}); len(v) == 16 {
		v = v[:4] + sep + v[4:8] + sep + v[8:12] + sep + v[12:]
	} else if sep != "" {
		v = v[:4] + sep + v[4:10] + sep + v[10:]
	}
	w.digits("CREDIT_CARD", v)
}

// luhn fills a card number to n digits, the last its check digit (ISO 7812).
func (w *writer) luhn(head string, n int) string {
	b := []byte(head)
	for len(b) < n-1 {
		b = append(b, byte('0'+w.r.IntN(10)))
	}
	sum := 0
	for i := range b {
		d := int(b[len(b)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return string(b) + strconv.Itoa((10-sum%10)%10)
}

func (w *writer) iban(key, mod string) {
	v := w.once(key, func() string {
		v := w.shaped(pick(w.r, []string{"GB99AAAA99999999999999", "DE99999999999999999999", "FR9999999999999999999999999", "NL99AAAA9999999999",
			"ES9999999999999999999999", "IE99AAAA99999999999999", "IT99A9999999999999999999999", "SE9999999999999999999999", "CH9999999999999999999"}))
		if w.one(40) {
			return v
		}
		var b strings.Builder
		for i := 0; i < len(v); i += 4 {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(v[i:min(i+4, len(v))])
		}
		return b.String()
	})
	w.digits("IBAN", part(v, mod))
}

func (w *writer) expiry(key, _ string) {
	v := w.once(key, func() string { return strconv.Itoa(1+w.r.IntN(12)) + "/" + strconv.Itoa(26+w.r.IntN(9)) })
	m, y, _ := strings.Cut(v, "/")
	month, _ := strconv.Atoi(m)
	year, _ := strconv.Atoi(y)
	two := pad(month)
	if w.style.spoken {
		w.label("CARD_EXPIRY", pick(w.r, []string{
			cardinal(month) + " " + cardinal(year), oh(month) + " " + cardinal(year), months[month-1] + " twenty " + cardinal(year),
			months[month-1] + " " + cardinal(year), oh(month) + " slash " + cardinal(year), months[month-1] + " two thousand and " + cardinal(year),
			two + "/" + y, two + " " + y, months[month-1] + " 20" + y, cardinal(month) + " of twenty " + cardinal(year)}))
		return
	}
	w.labelRaw("CARD_EXPIRY", pick(w.r, []string{two + "/" + y, two + "/" + y, m + "/" + y, two + "/20" + y, two + "-" + y, two + y, months[month-1] + " 20" + y, months[month-1][:3] + " " + y}))
}

func (w *writer) price(_, _ string) {
	n := pick(w.r, []int{5, 9, 12, 15, 20, 25, 30, 35, 40, 45, 49, 60, 75, 80, 89, 90, 99, 110, 120, 150, 180, 200, 250, 300, 420, 600, 850, 1200, 1500, 2400})
	if w.style.spoken && w.one(70) {
		w.plain(cardinal(n) + pick(w.r, []string{" dollars", " dollars", " bucks", " pounds", " euros", " quid"}))
		return
	}
	w.plain(pick(w.r, []string{"$", "$", "£", "€", "$"}) + strconv.Itoa(n) + pick(w.r, []string{"", "", ".00", ".50", ".99"}))
}

func (w *writer) num(_, _ string) {
	n := 2 + w.r.IntN(pick(w.r, []int{4, 8, 30}))
	if w.style.spoken && w.one(80) || w.one(25) {
		w.plain(cardinal(n))
		return
	}
	w.plain(strconv.Itoa(n))
}

func (w *writer) time(_, _ string) {
	h, m := 1+w.r.IntN(12), pick(w.r, []int{0, 0, 0, 15, 30, 30, 45, 10, 20})
	if w.style.spoken && w.one(80) {
		said := cardinal(h)
		switch {
		case m == 30 && w.one(40):
			said = "half past " + said
		case m == 15 && w.one(40):
			said = "quarter past " + said
		case m == 45 && w.one(40):
			said = "quarter to " + said
		case m > 0:
			said += " " + cardinal(m)
		}
		w.plain(said + pick(w.r, []string{"", "", " a m", " p m", " pm", " o'clock", " in the morning", " in the afternoon"}))
		return
	}
	v := strconv.Itoa(h)
	if m > 0 || w.one(20) {
		v += pick(w.r, []string{":", ":", ".", ":"}) + pad(m)
	}
	w.plain(v + pick(w.r, []string{"", "am", "pm", " PM", " am", " p.m.", " o'clock", "pm"}))
}

var ordinalWords = []string{"first", "second", "third", "fourth", "last", "next", "other", "1st", "2nd", "3rd"}

var items = []string{"boots", "a blue jacket", "the coffee maker", "a phone case", "two lamps", "the blender", "a sofa", "running shoes", "a birthday cake",
	"the printer", "a mattress", "curtains", "headphones", "the bike", "a dishwasher", "garden chairs", "the router", "a toaster", "a tent", "some paint"}
