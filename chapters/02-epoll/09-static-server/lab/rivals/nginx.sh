# Starts nginx in the foreground, as the present user, with this folder as its prefix: sh nginx.sh 7890
# "listen" takes no variable, so sed(1) writes the port. As root, nginx would give its worker to another user.
set -e
sed "s/{port}/$1/" nginx.conf >nginx-on-port.conf
[ "$(id -u)" = 0 ] && user="user root;" || user=
exec nginx -p "$PWD" -c nginx-on-port.conf -e stderr -g "$user daemon off;"
