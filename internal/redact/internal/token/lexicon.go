package token

import (
	"strings"

	"murmur/internal/redact/kind"
	"murmur/internal/redact/number"
)

// Lex says what a word of a closed class does. A word may do several things.
type Lex uint32

const (
	Stop    Lex = 1 << iota // function words and the commonest verbs: never a value
	Ack                     // "uh huh", "okay": keeps a question open, says nothing
	Month                   // january, jan
	Day                     // monday, mon
	Near                    // today, tomorrow
	Unit                    // what is counted: minutes, people, miles
	Money                   // dollars, euro
	Street                  // the kind of a street, behind its name or before it
	Compass                 // north, sw
	Flat                    // apartment, unit, suite
	Title                   // mr, dr
	Greet                   // hi, thanks: a name may follow
	Prep                    // in, from, near: a place may follow
	Domain                  // com, org
	Kin                     // son, wife: a name may follow
	Common                  // words, brands and slang that the lists take for names
	Which                   // this, next, last: before a day
	Period                  // week, month
	Spoke                   // said, called, named, tell: a name may follow
	State                   // US state, Canadian province, as two letters
	Stray                   // a month or day that is also another word: may, march, sun
	Given                   // a first name far oftener than the word it also is: mike, jack
	Verb                    // is, was: between a cue and its value
)

// Lexicon holds the closed classes of English, by word in lower case.
var Lexicon = func() map[string]Lex {
	m := map[string]Lex{}
	for class, words := range map[Lex]string{
		Stop: `a an the i i'm i've i'd i'll im ive me my mine myself you your yours u ur you're youre you've you'll he him his she her hers it its they
			them their we us our ours we're we'll who whom whose what what's whats which where when why how that this these those there here is are was were be been being am
			isn't aren't wasn't do does did don't dont didn't doesn't done have has had haven't having can can't cant could couldn't will would won't wouldn't should shall may might must
			and or but if so because as than then of to in on at by from with for about into over under after before between through during without within
			not no yes yeah yep nope never ever also too very just only still again even more most much many some any all both each every other another such
			get got getting go going goes gone went make made need needs want wants wanted like know think see say says said tell take took give gave put let hasn't hadn't couldn't wouldn't shouldn't weren't you'd he's she's we've they're they've who's there's here's he'll she'll it'll that'll who'll there'll how're what're we'd they'd he'd she'd it'd myself yourself himself herself itself ourselves yourselves themselves meself hisself hes shes theres theyre youll thats itll thatll ill ive wheres heres theyve shouldve wouldve couldve
			please pls plz help thing things something anything nothing someone anyone out up down off now soon later back way one ones`,
		Ack: `correct appreciate absolutely definitely exactly uh um er erm ah hmm mm mhm huh okay ok kay k right sure yes yeah yep yup yea no nope alright great perfect thanks thank you go ahead got it
			fine good cool excellent wonderful awesome lovely ready continue next listening noted understood and so well please oh hold on`,
		Month: `january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec`,
		Day:   `monday tuesday wednesday thursday friday saturday sunday mon tue tues wed weds thu thur thurs fri sat sun mondays tuesdays wednesdays thursdays fridays saturdays sundays tuseday wensday wednsday thrusday saterday`,
		Given: `barney billy bobby bob brad chuck eddy harry jack jasmine jimmy john josh ken martin matt mickey mike nick
			patsy peter phoebe rick sally tom tony victor`,
		Near:    `today tomorrow yesterday tonight todays tomorrows yesterdays tmrw tmr tomorow tommorow tommorrow 2day 2moro`,
		Unit:    `second seconds sec secs minute minutes min mins hour hours hr hrs day days night nights week weeks wk wks month months year years yr yrs people persons person guests adults kids children mile miles km kms meters metres feet foot ft inch inches cm mm mg mcg ml oz gb mb kb tb ghz lb lbs pound kg kgs grams percent pct times star stars bed beds bedroom bedrooms bath baths bathrooms room rooms chairs chair tables seats locations items pieces units boxes orders degrees mph points lines steps stops am pm a.m p.m oclock o'clock cars bags tickets copies options cards accounts calls messages emails employees years-old hotels restaurants doctors salons songs results`,
		Money:   `dollar dollars bucks cents euro euros eur usd gbp pounds quid pence cad aud`,
		Street:  `street st avenue ave av boulevard blvd road rd drive dr lane ln court ct place pl circle cir way terrace ter parkway pkwy highway hwy route rte square sq trail trl loop alley crescent cres close grove plaza pike row path walk run ridge point crossing expressway freeway fwy mews gardens park heights hill hills strasse straße str via viale rue calle carrera avenida rua ul ulica utca platz allee weg vej gata gatan gade laan straat corso piazza broadway box strada katu tie vei gasse`,
		Compass: `north south east west northeast northwest southeast southwest n s e w ne nw se sw`,
		Flat:    `psc apt apartment unit suite ste flat room floor bldg building lot box`,
		Title:   `mr mrs ms miss mister missus dr doctor prof professor sir madam captain officer judge senator president rev reverend sergeant`,
		Greet:   `hi hello hey dear thanks thank thx ty bye goodbye morning afternoon evening cheers sincerely regards love hiya yo welcome xo`,
		Prep:    `in from near to around at for of by outside towards toward via visiting into through serving across`,
		Domain:  `com org net edu gov io co uk us ca de info biz me tv fr es it ru eu au in app dev nl hu se fi dk pl cz ch pt nz za ie jp br mx gr tr cy ee`,
		Kin:     `son daughter wife husband mom mum mother dad father brother sister friend boss cousin aunt uncle niece nephew partner fiance fiancee boyfriend girlfriend neighbor neighbour roommate landlord tenant assistant manager colleague grandma grandpa bhai bhaiya didi abbu ammi amma appa chacha chachi tía tío tia tio abuela abuelo nan nana nanna gran granny grandad gramps mam kid baby dog cat therapist dentist`,
		Which:   `this next last coming following upcoming previous past every`,
		Period:  `week weekend month year fortnight weekends`,
		Spoke:   `tell told call called named name text ask asked meet met with contact see seeing saw from cc by and & is for invite email emailed message remind phone ring to visit owes about sincerely spouse via than`,
		State:   `al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy dc pr on qc bc ab mb sk ns nb nl pe`,
		Stray:   `may march mar sun sat mon wed second dec august`,
		Verb:    `is was 's are be it its should would under as called it's that's thats to on for`,
		Common: `lol smh omg asap pls plz thx ty btw idk imo tbh rn ur u r n b c k gonna wanna gotta cuz bc tho thru nite luv dont cant wont im ive isnt didnt doesnt whats thats hows lets
			wifi app apps ok okay hi hey bye yo haha sms atm iban cvv ssn pin id vip usa uk us eu nyc la sf dc faq pdf url www http https html
			europe asia africa atms fahrenheit celsius aud gbp applepay airbnb google apple amazon paypal visa mastercard amex uber lyft facebook twitter instagram youtube netflix spotify iphone android samsung microsoft gmail outlook yahoo walmart target costco venmo zelle
			english spanish french german italian chinese japanese korean american mexican british indian canadian european asian african australian thai greek turkish vietnamese mediterranean irish russian brazilian christian muslim jewish catholic
			egyptian taiwanese ethiopian moroccan lebanese persian iranian iraqi israeli syrian afghan pakistani bangladeshi nepalese tibetan burmese malaysian indonesian
			singaporean filipino philippine hawaiian cuban jamaican caribbean peruvian argentinian argentine colombian chilean venezuelan nigerian ghanaian kenyan somali sudanese
			tunisian algerian polish ukrainian romanian bulgarian hungarian czech slovak croatian serbian albanian armenian georgian belgian dutch swedish norwegian danish
			finnish icelandic austrian swiss scottish welsh portuguese catalan basque sicilian tuscan cantonese szechuan mongolian scandinavian
			café cafés naïve résumé cliché décor entrée fiancé fiancée crème brûlée jalapeño jalapeños piñata soufflé purée déjà protégé
			haan nahi acha achha theek arre yaar sahib assalam alaikum walaikum salaam salam inshallah mashallah habibi wallah
			oga abeg wahala oya ehn aiyo aiya lah mija mijo bueno gracias hola adios señor señora merci bonjour ciao prego danke bitte
			crikey blimey gosh golly jeez cripes heck owt nowt summat aye och lad lads lass lassie bruv bro dude buddy y'all ma'am maam ma hon sweetheart darlin darling
			helpdesk frontdesk chippy madad kya aap baji rebill fella fellas bloke blokes chap chaps geezer gaffer guvnor hoa lockbox occupier radiator radiators scaffold scaffolding dyou d'you byenow
			holiday christmas easter thanksgiving halloween
			agent customer caller rep representative speaker system operator receptionist support service team sales billing member contact
			mr mrs ms dr street avenue road bank hotel restaurant dental salon clinic school university college company inc llc ltd corp group center centre hospital airport church
			hello thanks please sorry sir madam maam mom mum dad mama papa honey dear god jesus lord santa alexa siri olly cortana
			sushi pizza taco tacos burger ramen bbq gluten vegan halal kosher jazz rock pop rap reggae orchestra band choir club theatre theater museum gallery library foundation association institute society union agency committee council department ministry
			northern southern eastern western central pandora roomba nasdaq tiktok snapchat whatsapp skype zoom linkedin tesla toyota ikea vodafone verizon email emails online website hashtag retweet rt
			topup topups top-up kyc swift sepa eta tba tbd etc vs ie eg aka fyi rsvp ac tv dvd cd pc gps usb
			table booking number card account love happy birthday bday new good great day night morning afternoon evening evenings yup nah yeah yea hmm mhm huh uh um ah oh mm lcsw md phd dds esq jr sr
			tap wow address name phone mobile desk fax website damn shit fuck hell ass bitch ain't y'all`,
	} {
		for w := range strings.FieldsSeq(words) {
			m[w] |= class
		}
	}
	return m
}()

// cueWords say what the value near them is. Their types steer; they never mask by themselves.
var cueWords = func() map[string]kind.Type {
	m := map[string]kind.Type{}
	for t, words := range map[kind.Type]string{
		kind.CreditCard:  `card visa mastercard amex debit credit`,
		kind.CardExpiry:  `expiry expiration expires expire expiring exp`,
		kind.CVV:         `cvv cvc cvv2 csc cvn cid back`,
		kind.SSN:         `ssn social itin`,
		kind.BankAcct:    `account acct checking savings acc routing aba swift deposit`,
		kind.IBAN:        `iban`,
		kind.DateOfBirth: `dob birthday birthdate birth born bday`,
		kind.PIN:         `pin passcode otp combination combo code keypad`,
		kind.Phone:       `phone cell mobile tel telephone fax callback whatsapp landline ph cellphone call text reach dial ring number numbers no`,
		kind.Email:       `email e-mail mail gmail`,
		kind.Person:      `name names speaking named surname lastname spell spelling spelled initials`,
		kind.Address:     `address street live lives living located addr residence ship shipping deliver delivery`,
		kind.Postcode:    `zip postcode postal zipcode`,
		kind.Password:    `password passwords passwd pwd pw passphrase wifi memorable codeword password's`,
		kind.Username:    `username user login handle userid screenname usr`,
		kind.ID:          `medicare medicaid subscriber policy ticket reference ref order case claim confirmation conf member membership tracking invoice booking reservation id license licence passport mrn serial file record employee student prescription rx patient`,
		kind.Vehicle:     `plate plates tag vin registration vehicle reg car truck van`,
		kind.Location:    `city town where location`,
		kind.Age:         `age aged old turning turns`,
	} {
		for w := range strings.FieldsSeq(words) {
			m[w] = t
		}
	}
	return m
}()

// WeakCue has the cues that count only where no other is near: they have another meaning more often than not.
var WeakCue = map[string]bool{"number": true, "numbers": true, "no": true, "call": true, "text": true, "reach": true, "dial": true,
	"ring": true, "where": true, "location": true, "live": true, "order": true, "old": true, "file": true, "record": true, "speaking": true,
	"deliver": true, "delivery": true, "turns": true, "mail": true, "code": true, "credit": true, "debit": true, "car": true, "truck": true, "van": true, "deposit": true, "case": true}

// entry is all that the rules know of a word.
type entry struct {
	lex     Lex
	said    int16     // its value and one if it is a number said in words
	ordinal uint8     // 2 of "second"
	cue     kind.Type // what it says of the value near it
}

// entries joins the tables of words, so that a token is looked up once.
var entries = func() map[string]entry {
	m := map[string]entry{}
	for w, l := range Lexicon {
		m[w] = entry{lex: l}
	}
	for w, t := range cueWords {
		e := m[w]
		e.cue = t
		m[w] = e
	}
	for w := range number.Words() {
		e := m[w]
		if v, ok := number.Spoken(w); ok {
			e.said = int16(v + 1)
		}
		e.ordinal = uint8(number.Ordinal(w))
		m[w] = e
	}
	return m
}()

// Particle reports whether a word stands between the parts of a name.
func Particle(low string) bool {
	switch low {
	case "van", "von", "de", "der", "den", "del", "la", "di", "da", "dos", "el", "al", "bin", "ibn", "le", "ter", "ten", "du", "st":
		return true
	}
	return false
}

// Password reports whether a word is "password" with letters left out or in a wrong order.
func Password(low string) bool {
	if len(low) < 6 || len(low) > 9 || low[0] != 'p' {
		return false
	}
	var left [26]int8
	for i := range len(low) {
		if low[i] < 'a' || low[i] > 'z' {
			return false
		}
		left[low[i]-'a']++
	}
	wrong := 0
	for i, n := range [26]int8{'a' - 'a': 1, 'd' - 'a': 1, 'o' - 'a': 1, 'p' - 'a': 1, 'r' - 'a': 1, 's' - 'a': 2, 'w' - 'a': 1} {
		wrong += int(max(left[i]-n, n-left[i]))
	}
	return wrong <= 1 && strings.ContainsAny(low, "w") && low != "passwd"
}
