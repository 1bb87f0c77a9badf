//go:build azurekeyvault

package rootkey

import _ "gocloud.dev/secrets/azurekeyvault" // azurekeyvault://
