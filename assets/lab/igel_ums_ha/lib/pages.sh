# The installer's pages, for a person at a terminal; sourced by the installer.

cancelled() {
    say "Setup was cancelled; nothing was changed."
    exit 1
}

# Asks until the answer is yes or no.
agree() {
    while :; do
        printf '%s (yes/no) ' "$1"
        read -r answer || cancelled
        case $answer in
        y | yes) return 0 ;;
        n | no) cancelled ;;
        esac
    done
}

enter_to() {
    printf '%s ' "$1"
    read -r answer || [ "${2-}" != needed ] || cancelled
    say
}

page() {
    say
    say "-- UMS $new Setup, page $1 of 6: $2 --"
}

pages() {
    page 1 "Licence agreement"
    say "A real installer shows the vendor's licence agreement here."
    agree "Do you accept it?"
    page 2 "Information"
    say "This host has UMS $(installed). During the installation a UMS Server that is not"
    say "alone online works on a copy of the database, in update mode."
    enter_to "Press Enter to go on." needed
    page 3 "Components"
    say "Will be updated on $host:"
    while read -r component; do
        case $component in
        server) say "  [x] UMS Server (HA network)" ;;
        balancer) say "  [x] UMS Load Balancer (HA network)" ;;
        console) say "  [x] UMS Console" ;;
        esac
    done <"$state/components"
    enter_to "Press Enter to go on." needed
    page 4 "System requirements"
    say "Operating system, memory and disk must be as the vendor asks for."
    agree "Does this host fulfil the requirements?"
    page 5 "Network token"
    say "The existing network token in /root is used."
    enter_to "Press Enter to go on." needed
    page 6 "Summary"
    say "UMS $(installed) will be replaced by UMS $new in /opt/IGEL/RemoteManager."
    agree "Start the installation?"
}
