//go:build tools

// Package etcd names the programs that the node image builds from the Go module proxy when the
// official release cannot be fetched; go.sum pins them and all they need by hash.
package etcd

import (
	_ "go.etcd.io/etcd/etcdctl/v3"
	_ "go.etcd.io/etcd/etcdutl/v3"
	_ "go.etcd.io/etcd/server/v3"
)
