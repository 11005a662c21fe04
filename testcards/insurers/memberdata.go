package insurers

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/eidkit/eidkit/testcards/internal/patients"
)

// Names of MemberData.
const (
	nippin        = "urn:be:cin:nippin:"
	nsTypes       = "urn:be:cin:types:v1"
	facetInsured  = nippin + "insurability"
	facetChronic  = nippin + "chronicCondition"
	facetPharmacy = nippin + "referencePharmacy"
)

var facets = []string{facetInsured, facetChronic, facetPharmacy, nippin + "carePath", nippin + "globalMedicalFile", nippin + "palliativeStatus"}

// samlFault is an answer without success (facts sheet b.4).
type samlFault struct{ level1, level2, code, detail string }

func requester(level2, code, detail string) *samlFault {
	return &samlFault{"Requester", level2, code, detail}
}

// memberData answers a MemberDataConsultationRequest (facts sheet b).
func (a *asking) memberData() (string, *refusal) {
	if !is(a.content, nsMember, "MemberDataConsultationRequest") {
		return "", refuse("SOA-03005", "%s is no operation of this service", a.content.Tag)
	}
	if err := memberRequest.check(a.content); err != nil {
		return "", refuse("SOA-03006", "%v", err)
	}
	common, detail := child(a.content, nsCommons, "CommonInput"), child(a.content, nsCommons, "Detail")
	c := callerIn(nsCommonsCore, common)
	who := admit(MemberData, c, a.token)
	if who == nil {
		return "", refuse("SOA-01002", "the licence, or the role with this token")
	}
	query, refused := attributeQuery(detail)
	if refused != nil {
		return "", refused
	}
	id := value(a.content, "Id")
	q := &question{reference: value(query, "ID")}
	fault := a.memberCheck(q, query, id, c.nihii, who)
	network, insurer := a.references()
	reference := text(child(common, nsCommonsCore, "InputReference"))
	var saml string
	if fault == nil {
		p := a.mislead(q, q.patient())
		if q.reference != value(query, "ID") {
			id, reference = q.reference, otherReference(reference)
		}
		if fault = q.memberFault(p); fault == nil {
			saml = a.memberAnswer(q, p, query, network)
		}
	}
	if fault != nil {
		saml = a.samlResponse(q, fault, nil, network)
	}
	encoding, blob := attr("ContentEncoding", "none"), []byte(saml)
	if a.faults.has(Deflated) {
		encoding, blob = "", deflate(blob)
	}
	return el("m:MemberDataConsultationResponse"+attr("xmlns:m", nsMember)+attr("xmlns:p", nsCommons)+attr("xmlns:c", nsCommonsCore)+attr("Id", "_o"+network)+
		attr("InResponseTo", id)+attr("IssueInstant", instant(a.now)),
		el("p:Return",
			el("p:CommonOutput", leaf("c:InputReference", reference), leaf("c:NIPReference", network), leaf("c:OutputReference", insurer)),
			el(`p:Detail ContentType="text/xml"`+encoding+` Id="_d1"`, base64.StdEncoding.EncodeToString(blob)))), nil
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close() // into memory: no error
	return out.Bytes()
}

// attributeQuery reads the query in a request: as it stands, or deflated, which is the schema's default.
func attributeQuery(detail *etree.Element) (*etree.Element, *refusal) {
	if value(detail, "ContentEncryption") != "" {
		return nil, refuse("SOA-03007", "there is no key to open encrypted content")
	}
	blob, err := decode(text(detail))
	if err != nil {
		return nil, refuse("SOA-03007", "Detail: %v", err)
	}
	switch value(detail, "ContentEncoding") {
	case "none":
	case "", "deflate":
		var r io.Reader = flate.NewReader(bytes.NewReader(blob))
		if z, err := zlib.NewReader(bytes.NewReader(blob)); err == nil {
			r = z
		}
		if blob, err = io.ReadAll(io.LimitReader(r, maxRequest)); err != nil {
			return nil, refuse("SOA-03007", "Detail is not deflated: %v", err)
		}
	default:
		return nil, refuse("SOA-03007", "content encoding %.20q", value(detail, "ContentEncoding"))
	}
	query, err := parse(blob)
	if err != nil || !is(query, nsSAMLP, "AttributeQuery") {
		return nil, refuse("SOA-03007", "Detail holds no AttributeQuery: %v", err)
	}
	return query, nil
}

// memberCheck reads a query into q and finds what is wrong with it.
func (a *asking) memberCheck(q *question, query *etree.Element, id, nihii string, who *Provider) *samlFault {
	issuer := child(query, nsSAML, "Issuer")
	extensions := child(query, nsSAMLP, "Extensions")
	padded := nihii + strings.Repeat("0", max(0, 11-len(nihii)))
	const shape = "AttributeQueryError"
	switch {
	case id != q.reference || q.reference == "":
		return requester("RequestError", "VALIDATION_ERROR", "CROSSCHECK_ID")
	case issuer == nil:
		return requester(shape, "INPUT_ERROR", "MISSING_ISSUER_TAG")
	case value(issuer, "Format") != nippin+"nihii11":
		return requester(shape, "INPUT_ERROR", "INVALID_ISSUER_FORMAT")
	case text(issuer) != padded:
		return requester("RequestError", "VALIDATION_ERROR", "CROSSCHECK_ISSUER")
	case child(query, nsSAML, "Attribute") != nil:
		return requester(shape, "INPUT_ERROR", "FORBIDDEN_ATTRIBUTES")
	case extensions == nil:
		return requester(shape, "INPUT_ERROR", "MISSING_EXTENSIONS_TAG")
	case extensionType(extensions) != "ExtensionsType":
		return requester(shape, "INPUT_ERROR", "MISSING_OR_BAD_EXTENSIONS_TYPE")
	}
	if f := checkFacets(q, extensions, who); f != nil {
		return f
	}
	subject := child(query, nsSAML, "Subject")
	if f := q.readSubject(child(subject, nsSAML, "NameID")); f != nil {
		return f
	}
	if f := q.readPeriod(child(subject, nsSAML, "SubjectConfirmation")); f != nil {
		return f
	}
	detail := map[string]string{"10": "MISSING_NAMEID", "30": "START_DATE_IN_FUTURE", "31": "INVALID_PERIOD", "32": "INVALID_PERIOD_FOR_SECTOR", "40": "PERIOD_TOO_FAR_IN_PAST"}
	switch code := q.check(who, a.today); code {
	case "":
		return nil
	case "12":
		return requester(shape, "INPUT_ERROR", "INVALID_INSS_VALUE")
	default:
		return requester("InputError", "INPUT_ERROR", detail[code])
	}
}

// extensionType is the local name in the xsi:type of the extensions.
func extensionType(e *etree.Element) string {
	for _, at := range e.Attr {
		if at.Key == "type" && at.Space != "" && at.NamespaceURI() == nsXSI {
			return at.Value[strings.IndexByte(at.Value, ':')+1:]
		}
	}
	return ""
}

func checkFacets(q *question, extensions *etree.Element, who *Provider) *samlFault {
	seen := map[string]bool{}
	bad := func(detail string) *samlFault { return requester("AttributeQueryError", "INPUT_ERROR", detail) }
	for _, f := range children(extensions, nsExtension, "Facet") {
		id := value(f, "id")
		switch {
		case seen[id]:
			return bad("DUPLICATED_FACET")
		case !slices.Contains(facets, id):
			return bad("UNKNOWN_FACET")
		case id == facetPharmacy && who.Quality == "physiotherapist":
			return requester("AttributeQueryError", "AUTHORIZATION_ERROR", "UNAUTHORIZED_FACET")
		}
		seen[id] = true
		if id != facetInsured {
			continue
		}
		dimensions := map[string]string{}
		for _, d := range children(f, "", "Dimension") {
			name := value(d, "id")
			if _, twice := dimensions[name]; twice {
				return bad("DUPLICATED_DIMENSION")
			}
			dimensions[name] = text(d)
		}
		for _, d := range [][3]string{{"requestType", "information", "invoicing"}, {"contactType", "other", "hospitalized"}} {
			switch v := dimensions[d[0]]; {
			case v == "":
				return bad("EMPTY_" + strings.ToUpper(d[0]))
			case v != d[1] && v != d[2]:
				return bad("UNALLOWED_" + strings.ToUpper(d[0]))
			}
		}
		q.invoicing, q.stay = dimensions["requestType"] == "invoicing", dimensions["contactType"] == "hospitalized"
	}
	if len(seen) == 0 {
		return bad("UNKNOWN_FACET")
	}
	return nil
}

// readSubject reads who is asked about.
func (q *question) readSubject(id *etree.Element) *samlFault {
	bad := func(detail string) *samlFault { return requester("AttributeQueryError", "INPUT_ERROR", detail) }
	if text(id) == "" {
		return bad("MISSING_NAMEID")
	}
	name, mutual, _ := strings.Cut(text(id), "@")
	switch value(id, "Format") {
	case ssinAttribute:
		name = text(id)
		fallthrough
	case nippin + "member:ssin@mut":
		if len(name) != 11 || strings.Trim(name, "0123456789") != "" {
			return bad("INVALID_INSS_FORMAT")
		}
		q.number = name
	case nippin + "careReceiver:registrationNumber@mut":
		if mutual == "" {
			return bad("EMPTY_IO")
		}
		q.affiliate, q.mutuality = name, mutual
	default:
		return bad("INVALID_NAMEID_FORMAT")
	}
	return nil
}

// readPeriod reads the days asked about; the end is exclusive.
func (q *question) readPeriod(confirmation *etree.Element) *samlFault {
	bad := func(detail string) *samlFault { return requester("AttributeQueryError", "INPUT_ERROR", detail) }
	data := child(confirmation, nsSAML, "SubjectConfirmationData")
	switch {
	case confirmation == nil:
		return bad("MISSING_SUBJECT_CONFIRMATION_TAG")
	case value(confirmation, "Method") != nippin+"memberIdentification":
		return bad("INVALID_SUBJECT_CONFIRMATION_METHOD_VALUE")
	case data == nil:
		return bad("MISSING_SUBJECT_CONFIRMATION_DATA_TAG")
	case value(data, "NotBefore") == "":
		return bad("EMPTY_STARTDATE")
	case value(data, "NotOnOrAfter") == "":
		return bad("EMPTY_ENDDATE")
	}
	from, ok1 := readInstant(value(data, "NotBefore"))
	until, ok2 := readInstant(value(data, "NotOnOrAfter"))
	if !ok1 || !ok2 {
		return bad("INVALID_PERIOD")
	}
	q.from, q.until = dayOf(from), dayOf(until.Add(-time.Second))
	return nil
}

func readInstant(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.ParseInLocation("2006-01-02T15:04:05", s, brussels())
	}
	return t, err == nil
}

// memberFault is what the insurers say instead of an answer.
func (q *question) memberFault(p *patients.Patient) *samlFault {
	switch {
	case p.Name == "" && p.Stranger:
		return &samlFault{"Responder", "InputError", "INPUT_ERROR", "UNKNOWN_NISS_ROUTING"}
	case p.Stranger:
		return &samlFault{"Responder", "InputError", "INPUT_ERROR", "UNKNOWN_IO"}
	case p.Insurers != nil:
		return &samlFault{"Responder", "InputError", "INPUT_ERROR", "MULTIPLE_IO"}
	case q.stay && p.Stay == nil:
		return &samlFault{"Responder", "AttributeQueryError", "INPUT_ERROR", "MISMATCHED_CONTACTTYPE"}
	}
	return nil
}

// samlResponse makes the samlp:Response; a fault of level Success is a warning beside the assertions.
func (a *asking) samlResponse(q *question, f *samlFault, assertions []string, network string) string {
	status := el("samlp:Status", el("samlp:StatusCode"+attr("Value", "urn:oasis:names:tc:SAML:2.0:status:Success")))
	if f != nil {
		prefix, space := "t:", attr("xmlns:t", nsTypes)
		if a.faults.has(PlainFaults) {
			prefix, space = "", ""
		}
		words := leaf(prefix+`Message xml:lang="en"`, strings.ToLower(strings.ReplaceAll(f.detail, "_", " "))+" (TEST)")
		status = el("samlp:Status",
			el("samlp:StatusCode"+attr("Value", "urn:oasis:names:tc:SAML:2.0:status:"+f.level1), el("samlp:StatusCode"+attr("Value", nippin+"SAML:status:"+f.level2))),
			el("samlp:StatusDetail", el(prefix+"Fault"+space, leaf(prefix+"FaultCode", f.code), leaf(prefix+"FaultSource", "MYCARENET"), words,
				el(prefix+"Details", el(prefix+"Detail", leaf(prefix+"DetailCode", f.detail), leaf(prefix+"DetailSource", "INSURABILITY"), words)))))
	}
	if a.faults.has(NotOK) {
		status = ""
	}
	return `<?xml version="1.0" encoding="UTF-8"?>` + el("samlp:Response"+attr("xmlns:samlp", nsSAMLP)+attr("xmlns:saml", nsSAML)+attr("xmlns:ext", nsExtension)+attr("xmlns:xsi", nsXSI)+
		attr("ID", "_r"+network)+attr("InResponseTo", q.reference)+` Version="2.0"`+attr("IssueInstant", instant(a.now)),
		leaf("saml:Issuer", nippin+"100"), status, strings.Join(assertions, ""))
}
