//go:build awskms

package rootkey

import _ "gocloud.dev/secrets/awskms" // awskms://
