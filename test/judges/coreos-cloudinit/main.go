// Judges CoreOS cloud-config texts as the program that reads them does: by its own validation, and by what it makes of the
// text with the YAML library that Flatcar's copy of it uses today, which knows no other spelling of a key.
//
//	coreos-cloudinit-judge FILE…    one line of JSON for each file
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/coreos/coreos-cloudinit/config"
	"github.com/coreos/coreos-cloudinit/config/validate"
	"gopkg.in/yaml.v3"
)

type file struct {
	Path        string `json:"path"`
	Owner       string `json:"owner"`
	Permissions string `json:"permissions"`
	// Go writes bytes as base64.
	Content []byte `json:"content"`
}

// What there is to say of a text, and what the program would write and start.
type verdict struct {
	File     string        `json:"file"`
	Findings []string      `json:"findings"`
	Hostname string        `json:"hostname"`
	Files    []file        `json:"files"`
	Units    []config.Unit `json:"units"`
	Users    []config.User `json:"users"`
}

func judge(name string) verdict {
	found := verdict{File: name, Findings: []string{}, Files: []file{}}
	say := func(by string, what any) {
		found.Findings = append(found.Findings, fmt.Sprintf("%s: %v", by, what))
	}
	text, err := os.ReadFile(name)
	if err != nil {
		say("read", err)
		return found
	}
	report, err := validate.Validate(text)
	if err != nil {
		say("validate", err)
	}
	for _, entry := range report.Entries() {
		say("validate", entry.String())
	}
	var read config.CloudConfig
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&read); err != nil {
		say("yaml.v3", err)
	}
	if err := read.Decode(); err != nil {
		say("encoding", err)
	}
	for _, one := range read.WriteFiles {
		found.Files = append(found.Files, file{one.Path, one.Owner, one.RawFilePermissions, []byte(one.Content)})
	}
	found.Hostname, found.Units, found.Users = read.Hostname, read.CoreOS.Units, read.Users
	return found
}

func main() {
	output := json.NewEncoder(os.Stdout)
	for _, name := range os.Args[1:] {
		if err := output.Encode(judge(name)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
