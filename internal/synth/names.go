package synth

import "strings"

// Lists of our own writing: everyday names of many origins, streets that could be anywhere.
var (
	firstNames = strings.Fields(`Maria James Aisha Wei Carlos Priya Olivia Kwame Sofia Daniel Fatima Lucas Hannah Omar
Chloe Mateo Ingrid Raj Nadia Tyler Mei Andre Elena Samuel Yuki Grace Diego Leila Ethan Amara Victor Rosa Nathan Zainab
Peter Camila Jamal Astrid Kevin Lakshmi Brandon Noor Isabel Marcus Hana Joel Valentina Tariq Megan Luis Svetlana Derek
Anika Paulo Keisha Brian Linh Gabriel Farah Todd Ximena Ravi Caitlin Hugo Thandiwe Scott Renata Ali Molly Javier Dina
Kyle Esther Hiro Monica Felix Imani Wyatt Bianca Sanjay Ruth Emil Tamara Curtis Paloma Igor Joyce Malik Vera Austin`)
	lastNames = strings.Fields(`Lopez Johnson Okafor Chen Patel Nguyen Schmidt Williams Haddad Silva Kowalski Brown Tanaka
Garcia Osei Miller Rossi Hussein Davis Park Moreno Fischer Wilson Ahmed Novak Taylor Mbeki Andersson Clark Rivera Singh
O'Connor Lewis Petrov Walker Kim Hernandez Dubois Young Mensah Allen Costa Wright Yamamoto Scott Bianchi Torres Green
Farouk Baker Olsen Adams Castillo Nelson Sharma Hill Ramirez Campbell Ivanova Mitchell Diaz Roberts Ferrari Carter Abebe
Phillips Evans Gutierrez Turner Vargas Parker Nakamura Collins Edwards Jensen Stewart Flores Morris Ndiaye Rogers Vega`)
	streets = strings.Split(strings.ReplaceAll(`Maple Street;Oak Avenue;Birchwood Lane;Cedar Court;Elm Drive;Harbor Road;Hillcrest Boulevard;
Juniper Way;Lakeview Terrace;Meadow Lane;North Pine Street;Orchard Road;Prairie Avenue;Quarry Road;Ridge Street;
River Bend Road;South Grove Avenue;Spruce Court;Sunset Drive;Valley View Road;Walnut Street;Willow Creek Lane;
West Ash Avenue;Chestnut Place;Fern Hollow Road;Granite Street;Magnolia Drive;Poplar Avenue;Sycamore Court;Mill Road`, "\n", ""), ";")
	// areaCodes are North American; the numbers 555-0100 to 555-0199 of each are reserved for fiction.
	areaCodes = strings.Fields(`415 201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231
234 239 240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316
317 318 319 320 321 323 325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414
417 419 423 424 425 430 432 434 435 440 443 458 469 470 475 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513
515 516 517 518 520 530 540 541 551 559 561 562 563 567 570 571 573 574 575 580 585 586 601 602 603 605 606 607 608 609
610 612 614 615 616 617 618 619 620 623 626 630 631 636 641 646 650 651 660 661 662 678 682 701 702 703 704 706 707 708
712 713 714 715 716 717 718 719 720 724 727 731 732 734 740 754 757 760 763 765 770 772 773 774 775 781 785 786 801 802
803 804 805 806 808 810 812 813 814 815 816 817 818 828 830 831 832 843 845 847 848 850 856 857 858 859 860 862 863 864
865 870 901 903 904 906 907 908 909 910 912 913 914 915 916 917 918 919 920 925 928 931 936 937 940 941 949 951 952 954
956 970 971 972 973 978 979 980 985 989`)
)

// ascii is a name as it stands in an address.
func ascii(name string) string { return strings.ToLower(strings.ReplaceAll(name, "'", "")) }

var digitWords = [10]string{"oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}

// aloud is how people say a telephone number: digit by digit, without the country's.
func aloud(phone string) string {
	digits := strings.TrimPrefix(phone, "+1")
	words := make([]string, 0, len(digits))
	for _, c := range digits {
		words = append(words, digitWords[c-'0'])
	}
	return strings.Join(words, " ")
}

// dashed is how people write a telephone number: 415-555-0123.
func dashed(phone string) string {
	d := strings.TrimPrefix(phone, "+1")
	return d[:3] + "-" + d[3:6] + "-" + d[6:]
}

// spelled is how people say an e-mail address.
func spelled(email string) string {
	return strings.NewReplacer(".", " dot ", "@", " at ").Replace(email)
}
