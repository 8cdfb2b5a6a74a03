"""Which experiment would tell the carriers of effect apart, and change what is decided."""
