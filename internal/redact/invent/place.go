package invent

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var (
	//go:embed lists/cities.txt
	cityText string
	//go:embed lists/states.txt
	stateText string
	//go:embed lists/countries.txt
	countryText string
	//go:embed lists/roads.txt
	roadText string
	//go:embed lists/business.txt
	businessText string
	//go:embed lists/brands.txt
	brandText string

	cities    = list(cityText)
	states    = list(stateText) // name, then its two letters
	countries = list(countryText)
	roadNames = list(roadText)
	business  = list(businessText)
	brands    = list(brandText)
)

var landmarks = []string{"the library", "the old mill", "the gas station", "the post office", "the airport", "the station", "the high school", "the mall",
	"the church on the corner", "the bus stop", "the hospital", "the town hall", "downtown", "the park", "the beach", "the bridge", "the supermarket"}

func (w *writer) city(key, mod string) {
	v := w.once(key, func() string {
		if w.own != nil && w.one(ownShare) {
			return pick(w.r, w.own.towns)
		}
		if w.one(55) {
			return pick(w.r, cities)
		}
		return pick(w.r, rare().place)
	})
	if mod == "spell" {
		w.labelRaw("LOCATION", w.spell(v))
		return
	}
	w.label("LOCATION", v)
}

func (w *writer) state(key, _ string) {
	v := w.once(key, func() string {
		i := 2 * w.r.IntN(len(states)/2)
		if !w.style.spoken && w.one(45) {
			i++
		}
		return states[i]
	})
	w.label("LOCATION", v)
}

func (w *writer) country(key, _ string) {
	w.label("LOCATION", w.once(key, func() string { return pick(w.r, countries) }))
}

func (w *writer) place(key, _ string) {
	switch w.r.IntN(10) {
	case 0, 1:
		w.country(key, "")
	case 2:
		w.state(key, "")
	case 3:
		w.city(key, "")
		w.plain(pick(w.r, []string{", ", " "}))
		w.state("state"+who(key), "")
	default:
		w.city(key, "")
	}
}

var (
	roadKinds = []string{"Street", "Street", "Avenue", "Avenue", "Road", "Road", "Drive", "Lane", "Court", "Boulevard", "Way", "Place", "Circle", "Terrace", "Crescent",
		"Close", "Parkway", "Trail", "Highway", "Square", "Gardens", "Hill", "Row", "Walk", "Grove", "Mews"}
	roadShort = map[string][]string{"Street": {"St", "St.", "str"}, "Avenue": {"Ave", "Ave.", "Av"}, "Road": {"Rd", "Rd."}, "Drive": {"Dr", "Dr."}, "Lane": {"Ln", "Ln."},
		"Court": {"Ct", "Ct."}, "Boulevard": {"Blvd", "Blvd."}, "Place": {"Pl", "Pl."}, "Circle": {"Cir"}, "Terrace": {"Ter", "Terr."}, "Parkway": {"Pkwy"}, "Highway": {"Hwy"}, "Square": {"Sq"}}
)

// Roads of other countries are called by a head or a tail; their house numbers often come last.
var (
	roadHeads = []string{"Calle ", "Calle de ", "Avenida ", "Avenida de ", "Paseo de ", "Plaza de ", "Rue de ", "Rue du ", "Rue ", "rue de la ", "Boulevard ", "Place ", "Quai ", "Chemin du ",
		"Via ", "Viale ", "Piazza ", "Corso ", "Largo ", "Rua ", "Rua da ", "Rua das ", "Rua dos ", "Travessa ", "Estrada ", "Praça ", "ul. ", "ulica ", "Aleja ", "Strada ", "Jalan ", "Am ", "An der ", "Zum ", "Im ", "R "}
	roadTails = []string{"straße", "strasse", "str.", "weg", "allee", "platz", "gasse", "ring", "straat", "laan", "plein", "gracht", "steenweg", "gatan", "vägen", "veien", "gata", "vegen", "gade", "vej", "allé", "vænget",
		"katu", "tie", "kuja", "tänav", " utca", " út", " tér", " u.", " ulice", " náměstí", " ulica", " trg", " sokak", " caddesi", "gränd", "bakken", "götu"}
)

// foreign reports whether the house number stands behind the road.
func foreign(road string) bool {
	starts := func(h string) bool { return strings.HasPrefix(road, h) }
	ends := func(t string) bool { return strings.HasSuffix(road, t) }
	return slices.ContainsFunc(roadHeads, starts) || slices.ContainsFunc(roadTails, ends)
}

// roadName is the name of a street without a number.
func (w *writer) roadName(key string) string {
	return w.once("road"+who(key), func() string {
		if w.own != nil && w.one(ownShare) {
			return pick(w.r, w.own.roads)
		}
		kind := pick(w.r, roadKinds)
		if short := roadShort[kind]; short != nil && !w.style.spoken && w.one(45) {
			kind = pick(w.r, short)
		}
		var name string
		switch n := w.r.IntN(100); {
		case n < 45:
			name = pick(w.r, roadNames)
		case n < 58:
			name = pick(w.r, lastNames)
		case n < 65:
			name = pick(w.r, firstNames)
		case n < 70:
			name = pick(w.r, wordNames)
		case n < 78:
			k := 1 + w.r.IntN(99)
			if name = nth(k); w.style.spoken && w.one(70) {
				name = ordinal(k)
			}
		case n < 84:
			name = pick(w.r, rare().last)
		case n < 88:
			return pick(w.r, []string{"Broadway", "The Esplanade", "High Street", "Main Street", "County Road " + pad(w.r.IntN(90)+10), "Route " + pad(w.r.IntN(90)+10), "Highway " + pad(w.r.IntN(90)+10)})
		case n < 92:
			return pick(w.r, roadHeads) + pick(w.r, pick(w.r, [][]string{rare().last, rare().first, rare().place, lastNames}))
		case n < 96:
			return pick(w.r, pick(w.r, [][]string{rare().last, rare().place, lastNames})) + pick(w.r, roadTails)
		default:
			name = pick(w.r, roadNames) + " " + pick(w.r, roadNames)
		}
		if w.one(12) {
			name = pick(w.r, []string{"North", "South", "East", "West", "N", "S", "E", "W", "Old", "Upper", "New"}) + " " + name
		}
		return name + " " + kind
	})
}

func (w *writer) road(key, mod string) {
	if mod == "spell" {
		w.labelRaw("ADDRESS", w.spell(w.roadName(key)))
		return
	}
	w.label("ADDRESS", w.roadName(key))
}

var unitKinds = []string{"Apt", "Apt.", "Apartment", "Unit", "Suite", "#", "Flat", "apt", "Floor", "Room", "Ste"}

// street is number and street, as people of the street's country say them.
func (w *writer) street(key, _ string) {
	road := w.roadName(key)
	n := w.once("house"+who(key), func() string {
		switch k := w.r.IntN(10); {
		case k < 3:
			return strconv.Itoa(1 + w.r.IntN(99))
		case k < 6:
			return strconv.Itoa(100 + w.r.IntN(900))
		case k < 9:
			return strconv.Itoa(1000 + w.r.IntN(9000))
		}
		return strconv.Itoa(1+w.r.IntN(200)) + string("ABCDab"[w.r.IntN(6)])
	})
	if w.style.spoken {
		n = w.house(n)
	}
	v := n + " " + road
	if foreign(road) && w.one(80) {
		v = road + pick(w.r, []string{" ", " ", ", ", " n. ", " nr "}) + n
	}
	switch w.r.IntN(60) {
	case 0:
		v = pick(w.r, []string{"P.O. Box ", "PO Box ", "Post Office Box ", "Box ", "Postfach "}) + n
	case 1:
		v = pick(w.r, []string{"the corner of ", "corner of ", "the junction of "}) + road + " and " + w.roadName("corner")
	case 2:
		v = pick(w.r, []string{"PSC ", "Unit ", "CMR "}) + n + pick(w.r, []string{", Box ", " Box ", " box "}) + n
	case 3:
		v = pick(w.r, []string{pick(w.r, roadNames) + " House, ", pick(w.r, lastNames) + " Hall, ", "The " + pick(w.r, []string{"Old Rectory", "Cottage", "Barn", "Lodge", "Gables"}) + ", "}) + v
	}
	if w.one(18) {
		unit := pick(w.r, unitKinds)
		k := pick(w.r, []string{strconv.Itoa(1 + w.r.IntN(40)), strconv.Itoa(100 + w.r.IntN(900)), string("ABCDEFG"[w.r.IntN(7)]), strconv.Itoa(1+w.r.IntN(30)) + "B"})
		switch {
		case w.style.spoken:
			if unit = strings.Trim(unit, "."); strings.EqualFold(unit, "apt") || unit == "#" || unit == "Ste" {
				unit = "apartment"
			}
			v += " " + unit + " " + w.house(k)
		case unit == "Flat" && w.one(60):
			v = "Flat " + k + ", " + v
		case unit == "#":
			v += pick(w.r, []string{" #", ", #", " # "}) + k
		default:
			v += pick(w.r, []string{" ", " ", ", ", "\n"}) + unit + " " + k
		}
	}
	w.label("ADDRESS", v)
}

// house says a house number: pairs, hundreds or digits.
func (w *writer) house(v string) string {
	letter := strings.TrimLeft(v, "0123456789")
	v = v[:len(v)-len(letter)]
	n, err := strconv.Atoi(v)
	said := ""
	switch k := w.r.IntN(10); {
	case err != nil:
	case k == 0:
		said = v
	case k == 1:
		said = w.oneByOne(v, false)
	case n >= 1000 && n%100 != 0 && k < 8:
		said = cardinal(n/100) + " " + oh(n%100)
	case n > 100 && n < 1000 && n%100 != 0 && k < 7:
		said = cardinal(n/100) + " " + oh(n%100)
	default:
		said = cardinal(n)
	}
	return strings.TrimSpace(said + " " + letter)
}

// address is street, town and what follows, each with its label, in one line or several.
func (w *writer) address(key, _ string) {
	who := who(key)
	sep := pick(w.r, []string{", ", ", ", " ", "\n", "\n ", ",\n"})
	if w.style.spoken {
		sep = pick(w.r, []string{", ", " ", " in ", " "})
	}
	w.street("street"+who, "")
	if w.one(12) {
		return
	}
	code := func() {
		w.digits("POSTCODE", w.once("postcode"+who, func() string { return w.shaped(pick(w.r, []string{"99999", "99999", "9999", "AA9 9AA", "999 99"})) }))
	}
	w.plain(sep)
	switch w.r.IntN(8) {
	case 0:
		w.town(who)
	case 1:
		w.town(who)
		w.plain(strings.Replace(sep, " in ", " ", 1))
		w.country("country"+who, "")
	case 2, 3: // as a label on an envelope of much of the world
		w.town(who)
		w.plain(strings.Replace(sep, " in ", " ", 1))
		w.country("country"+who, "")
		w.plain(" ")
		code()
	case 4:
		code()
		w.plain(" ")
		w.town(who)
	default:
		w.town(who)
		w.plain(pick(w.r, []string{", ", " "}))
		w.state("state"+who, "")
		if w.one(75) {
			w.plain(" ")
			code()
		}
	}
}

// town is a city, in capitals where post offices want it so.
func (w *writer) town(who string) {
	w.city("city"+who, "")
	if last := &w.out[len(w.out)-1]; !w.style.spoken && w.one(12) {
		last.text = strings.ToUpper(last.text)
	}
}

func (w *writer) postcode(key, mod string) {
	v := w.once(key, func() string {
		if mod == "uk" || w.one(55) {
			return w.shaped(pick(w.r, []string{"AA9 9AA", "AA99 9AA", "A9 9AA", "A99 9AA", "AA9A 9AA", "A9A 9AA"}))
		}
		return w.shaped(pick(w.r, []string{"99999", "99999", "99999-9999", "A9A 9A9", "9999", "9999 AA", "999 99"}))
	})
	w.digits("POSTCODE", part(v, mod))
}

// org is a business: called after a person, a place, a trade or nothing.
func (w *writer) org(key, _ string) {
	v := w.once(key, func() string {
		if w.own != nil && w.one(ownShare) {
			return pick(w.r, w.own.business)
		}
		trade := pick(w.r, business)
		switch w.r.IntN(12) {
		case 0:
			return pick(w.r, lastNames) + " " + trade
		case 1:
			return pick(w.r, lastNames) + pick(w.r, []string{" & ", " and "}) + pick(w.r, lastNames)
		case 2:
			return pick(w.r, firstNames) + "'s " + trade
		case 3:
			return pick(w.r, cities) + " " + trade
		case 4:
			return pick(w.r, lastNames) + pick(w.r, []string{" Inc.", " LLC", " Ltd", " Group", " and Sons", " Brothers", " & Co", "-" + pick(w.r, lastNames), " PLC", " Partners"})
		case 5:
			return fmt.Sprintf("%s, %s and %s", pick(w.r, lastNames), pick(w.r, lastNames), pick(w.r, lastNames))
		case 6:
			return pick(w.r, []string{"Chez ", "Casa ", "Trattoria ", "Villa ", "Hotel ", "Bar ", "Café ", "La ", "El ", "Little ", "New ", "Mama "}) + pick(w.r, pick(w.r, [][]string{firstNames, cities, rare().last}))
		case 7:
			return "The " + pick(w.r, []string{"Duke", "Marquess", "Queen", "Rose", "Star", "Bell", "Ship", "Taste", "House", "Flavours", "Spice", "Sisters"}) + " of " + pick(w.r, cities)
		case 8:
			return pick(w.r, rare().place) + pick(w.r, []string{" Grand Hotel", " Suites", " Inn", " Brasserie", " Tandoori", " Apartments", " Townhomes", " Family Medicine", " Skin Clinic", " Counselling", " Airport Hotel", " Plaza"})
		}
		return pick(w.r, brandWords) + " " + trade
	})
	w.out = append(w.out, piece{text: v, typ: "ORG", opt: true})
}

// brand is a well-known firm, product or app.
func (w *writer) brand(key, _ string) {
	w.out = append(w.out, piece{text: w.once(key, func() string { return pick(w.r, brands) }), typ: "ORG", opt: true})
}

var brandWords = []string{"Blue Ridge", "Lakeside", "Evergreen", "Sunrise", "First Choice", "Happy Paws", "Golden Gate", "Northwind", "Red Brick", "Silver Fern", "Pine Valley",
	"Corner", "Royal", "Metro", "Premier", "All Seasons", "Bluebird", "Riverbend", "Stonebridge", "Highland", "Copper Kettle", "Little Acorns", "Bright Star", "Family", "Elite", "Pacific", "Old Town",
	"Twin Oaks", "Harbour", "Maple Leaf", "Central", "Quick Fix", "Green Door", "Swift", "True North", "Cornerstone"}
