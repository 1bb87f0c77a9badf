package fact

// The public taxonomy of contact reasons: one for every trade, so that businesses can be compared. 0 is not
// classified. Numbers are stored in files and must never be reused; neighbours in Topics are akin, and small
// groups are merged along that order.
const (
	TopicOther Topic = iota + 1 // none of the others, or not sure
	TopicBooking
	TopicReschedule // or cancel
	TopicHours      // opening hours, address, the way
	TopicNewEnquiry // do you do this at all; new customers
	TopicPrice
	TopicOrderStatus // where is it; deliveries, arrival times, repairs in the shop
	TopicBilling
	TopicComplaint
	TopicHelp // something does not work
	TopicCallback
	TopicThanks
	TopicSpam // and wrong numbers
)

// SentimentStep is the distance of the levels of Sentiment: -100, -95 .. 100.
const SentimentStep = 5

// Topics is the taxonomy in its public order.
func Topics() []Topic {
	return []Topic{
		TopicBooking, TopicReschedule, TopicHours, TopicNewEnquiry, TopicPrice, TopicOrderStatus, TopicBilling,
		TopicComplaint, TopicHelp, TopicCallback, TopicThanks, TopicSpam, TopicOther,
	}
}

var topicNames = map[Topic]string{
	TopicOther: "other", TopicBooking: "booking", TopicReschedule: "reschedule", TopicHours: "hours",
	TopicNewEnquiry: "new-enquiry", TopicPrice: "price", TopicOrderStatus: "order-status", TopicBilling: "billing",
	TopicComplaint: "complaint", TopicHelp: "help", TopicCallback: "callback", TopicThanks: "thanks", TopicSpam: "spam",
}

// String is the topic's name in figures; "unknown" outside the taxonomy.
func (t Topic) String() string {
	if n, ok := topicNames[t]; ok {
		return n
	}
	return "unknown"
}
