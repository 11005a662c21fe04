package insurers

// The requests of the services, as their schemas have them.
var (
	genInsRequest     = genInsShape("GetInsurabilityRequest")
	genInsFlat        = genInsShape("GetInsurabilityAsFlatRequest")
	pharmacistRequest = pharmacistShape()
	memberRequest     = memberShape()
	tokenRequest      = tokenShape()
)

// mutuality is the type of GenericInsurability.
const mutuality = `750|999|[1-69][0-9]{2}`

// referring is a text that may point elsewhere instead.
func referring(g grammar, name string, min int) shape { return g.text(name, min, anyText, "ValueRef") }

func nihii(g grammar, min int) shape {
	return g.seq("Nihii", min, g.text("Quality", 0, anyText), referring(g, "Value", 0)).with("Id", "Ref")
}

func party(g grammar, name string) shape {
	return g.seq(name, 0, referring(g, "Name", 0), nihii(g, 0), referring(g, "Ssin", 0), referring(g, "Cbe", 0)).with("Id", "Ref")
}

func careProvider(g grammar) shape {
	return g.seq("CareProvider", 0, nihii(g, 1), party(g, "PhysicalPerson"), party(g, "Organization"))
}

func software(g grammar) shape {
	return g.seq("Package", 1, referring(g, "Name", 0), g.seq("License", 1, g.text("Username", 1, anyText), g.text("Password", 1, anyText))).with("Id", "Ref")
}

func testFlag(g grammar, min int) shape {
	return g.seq("Request", min, g.text("IsTest", 1, isBoolean))
}

func genInsShape(root string) shape {
	p, c := grammar(nsGenIns), grammar(nsGenInsCore)
	detail := c.seq("InsurabilityRequestDetail", 1,
		c.text("InsurabilityRequestType", 1, oneOf("information", "invoicing")),
		c.seq("Period", 1, c.text("PeriodStart", 0, isDate), c.text("PeriodEnd", 0, isDate)),
		c.text("InsurabilityContactType", 1, oneOf("ambulatory_care", "hospitalized_for_day", "hospitalized_elsewhere", "other")),
		c.text("InsurabilityReference", 0, matching(`[0-9A-ZÖËÜ '.*+,\-/:;=?()\]\[<>]{0,25}`)))
	return p.seq(root, 1,
		p.seq("CommonInput", 1,
			testFlag(c, 1),
			c.seq("Origin", 1, software(c), referring(c, "SiteID", 0), careProvider(c)),
			c.text("InputReference", 0, atMost(14)), c.text("NIPReference", 0, atMost(14))),
		p.seq("RecordCommonInput", 1, c.text("InputReference", 0, isNumber)),
		p.seq("Request", 1,
			c.seq("CareReceiverId", 1, c.text("Inss", 0, matching(`[0-9]{11}`)), c.text("RegNrWithMut", 0, atMost(13)), c.text("Mutuality", 0, matching(mutuality))),
			detail).with("MessageName", "Version", "Duplicate", "TestFlag", "SenderReference", "ReceiverReference", "Synchronous"))
}

func pharmacistShape() shape {
	p, c, saml := grammar(nsPharm), grammar(nsPharmCore), grammar(nsSAML)
	attribute := shape{space: string(saml), name: "Attribute", max: unbounded, open: true, attrs: []string{"Name!", "NameFormat", "FriendlyName"}}
	return p.seq("GetInsurabilityForPharmacistRequest", 1,
		p.seq("CommonInput", 1, testFlag(c, 0), c.seq("Origin", 1, software(c), careProvider(c))),
		p.seq("RecordCommonInput", 1, c.text("Reference", 0, isNumber), c.text("UserReference", 0, atMost(25))),
		p.seq("InsurabilityRequest", 1, c.text("Date", 1, isDate), c.text("RequestType", 1, exactly(1)),
			c.seq("CareReceiver", 1, c.text("Ssin", 0, exactly(11)), c.text("RegNrWithMut", 0, atMost(13)), c.text("Mutuality", 0, exactly(3)))),
		p.seq("ExtendedInformation", 0, attribute))
}

func memberShape() shape {
	m, p, c := grammar(nsMember), grammar(nsCommons), grammar(nsCommonsCore)
	return m.seq("MemberDataConsultationRequest", 1,
		p.seq("CommonInput", 1,
			testFlag(c, 1),
			c.seq("Origin", 1, software(c), referring(c, "SiteID", 0), careProvider(c), c.seq("Sender", 0, party(c, "PhysicalPerson"), party(c, "Organization"))),
			c.text("InputReference", 0, anyText), c.text("NIPReference", 0, anyText)),
		p.seq("Routing", 0,
			c.seq("CareReceiver", 1, c.text("Ssin", 0, anyText), c.text("RegNrWithMut", 0, anyText), c.text("Mutuality", 0, anyText)),
			c.text("ReferenceDate", 1, isDate),
			c.seq("Period", 0, c.text("Start", 1, isDate), c.text("End", 1, isDate))),
		p.text("Detail", 1, isBase64, "ContentType!", "ContentEncoding", "ContentEncryption", "HashValue", "Id"),
		p.text("Xades", 0, isBase64)).with("Id", "IssueInstant!")
}

// tokenShape is a request for a token, as far as this service knows WS-Trust.
func tokenShape() shape {
	t, u, a := grammar(nsTrust), grammar(nsWSU), grammar(nsAuth)
	use := shape{space: nsTrust, name: "UseKey", max: 1, open: true, attrs: []string{"Sig"}}
	return t.seq("RequestSecurityToken", 1,
		t.text("TokenType", 1, oneOf(tokenType)),
		t.text("RequestType", 1, oneOf(requestIssue)),
		t.seq("Claims", 0, a.seq("ClaimType", 0, a.text("Value", 0, anyText)).with("Uri!", "Optional").times(unbounded)).with("Dialect!"),
		t.seq("Lifetime", 0, u.text("Created", 0, isInstant), u.text("Expires", 1, isInstant)),
		t.text("KeyType", 1, oneOf(keyPublic)),
		use).with("Context")
}
