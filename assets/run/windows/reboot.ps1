# Restarts the server, for an application's sake and as planned, once whoever ordered it was told so.
& ([IO.Path]::Combine([Environment]::SystemDirectory, 'shutdown.exe')) /r /t 5 /d p:4:2
