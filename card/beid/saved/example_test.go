package saved_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/eidkit/eidkit/card/beid/saved"
)

// line is a CSV file as the viewer of 2012 wrote it; the person is invented.
const line = "1;eid;;01;Zoë Anaïs;Voorbeeld;F;01 JAN  1971;Eupen;;Belg;71010100409;;;;0;591000000106;534C494E000102030405060708090A0B;" +
	"01.02.2021;01.02.2031;Brussel;;Kerkstraat 1;1000;Brussel;be"

func ExampleRead() {
	c, err := saved.Read([]byte(line))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Format, c.Identity.Surname, c.Identity.Birth, c.Address.Municipality)
	fmt.Println("signed:", c.Signed)
	fmt.Println(c.Notes[0])
	// Output:
	// csv Voorbeeld 1971-01-01 Brussel
	// signed: false
	// this file carries no signatures: its content cannot be verified
}

func ExampleCard_Document() {
	c, err := saved.Read([]byte(line))
	if err != nil {
		fmt.Println(err)
		return
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(c.Document(saved.Options{}).Card); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {
	//   "cardNumber": "591000000106",
	//   "chipNumber": "534C494E000102030405060708090A0B",
	//   "validFrom": "2021-02-01",
	//   "validUntil": "2031-02-01",
	//   "deliveryMunicipality": "Brussel",
	//   "documentType": {
	//     "code": "1",
	//     "word": "belgian_citizen",
	//     "kind": "citizen"
	//   }
	// }
}

func ExampleCard_WriteXML() {
	c, err := saved.Read([]byte(line))
	if err != nil {
		fmt.Println(err)
		return
	}
	var out strings.Builder
	fmt.Println(c.WriteXML(&out))
	// Output:
	// writing the viewer's XML: no photo, no root certificate, no CA certificate, no national register's certificate: the form needs data that are not there
}

func ExampleCard_WriteCSV() {
	c, err := saved.Read([]byte(line))
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Identity.Surname = "=1+1; or not"
	if err := c.WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 1;eid;;1;Zoë Anaïs;'=1+1, or not;F;01 JAN  1971;Eupen;;Belg;71010100409;;;;0;591000000106;534C494E000102030405060708090A0B;01.02.2021;01.02.2031;Brussel;;Kerkstraat 1;1000;Brussel;be;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;0;0
}
