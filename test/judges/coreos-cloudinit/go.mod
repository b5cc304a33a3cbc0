module slipway.test/coreos-cloudinit-judge

go 1.21

require (
	github.com/coreos/coreos-cloudinit v1.14.0
	gopkg.in/yaml.v3 v3.0.1
)

require github.com/coreos/yaml v0.0.0-20141224210557-6b16a5714269 // indirect
