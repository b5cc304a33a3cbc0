// Keeps the requirement in go.mod; what is built is the program itself.
//go:build tools

package butane

import _ "github.com/coreos/butane/config"
