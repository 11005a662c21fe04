package main

import (
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/insurers"
)

// insurersInfo says where the simulated insurers' services are (docs/schema/network.json).
type insurersInfo struct {
	URL        string              `json:"url"`
	STS        string              `json:"sts"`
	GenIns     string              `json:"genins"`
	Pharmacist string              `json:"pharmacist"`
	MemberData string              `json:"memberdata"`
	Control    string              `json:"control"`
	Faults     map[string][]string `json:"faults"`
}

func aboutInsurers(n *insurers.Network) insurersInfo {
	info := insurersInfo{URL: n.URL(), STS: n.Address(insurers.STS), GenIns: n.Address(insurers.GenIns), Pharmacist: n.Address(insurers.Pharmacist),
		MemberData: n.Address(insurers.MemberData), Control: n.URL() + insurers.ControlPath, Faults: map[string][]string{}}
	for _, s := range insurers.Services() {
		for _, f := range insurers.Faults(s) {
			info.Faults[string(s)] = append(info.Faults[string(s)], string(f))
		}
	}
	return info
}

// patientPrefix begins the profiles of the eID cards of those whom the simulated insurers know.
const patientPrefix = "patient-"

// patientProfiles lists them.
func patientProfiles() (list []profileInfo) {
	for _, p := range insurers.Patients() {
		if p.Number != "" {
			list = append(list, profileInfo{Name: patientPrefix + p.Name, Applet: "1.8", Description: "eID card of a patient: " + p.Description})
		}
	}
	return list
}

// openSimulated makes a simulated eID card: of a profile, or of a patient.
func openSimulated(name string, seed uint64) (*testcards.Card, error) {
	o := testcards.Options{Seed: seed}
	for _, p := range insurers.Patients() {
		if name == patientPrefix+p.Name && p.Number != "" {
			return p.Card("", o)
		}
	}
	return testcards.Open(name, o)
}
