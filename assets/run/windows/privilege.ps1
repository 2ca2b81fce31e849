# Whether steps would run with the rights of an administrator.
if (Test-NofmAdministrator) { 'administrator' } else { 'none' }
