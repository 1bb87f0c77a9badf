package rootkey

import _ "gocloud.dev/secrets/hashivault" // hashivault://
