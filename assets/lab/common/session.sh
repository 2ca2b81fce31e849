# What a login on a stand-in server runs, by order of its sshd: the command that was asked for, in the server's folder,
# or a shell. NOFM_ROOT, HOME and PATH are set by sshd.
cd "${NOFM_ROOT:?}" || exit 1
exec sh ${SSH_ORIGINAL_COMMAND+-c "$SSH_ORIGINAL_COMMAND"}
