# What tells this start of the server from every other.
'boot {0}' -f (Get-NofmBoot)
