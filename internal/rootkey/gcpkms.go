//go:build gcpkms

package rootkey

import _ "gocloud.dev/secrets/gcpkms" // gcpkms://
