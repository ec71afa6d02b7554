# Visit. Starts a server, sends it the lines of one client, prints the last line of the answer, and ends the server.
#   bash visit.sh blocking 2 green black 3
#   SILENT=1 bash visit.sh blocking 2 green black 3      # beside a client that is connected and says nothing
# Of an error it prints the message, and the functions of the stack trace with their files; of the lesson's own, the lines.
port=${PORT:-7909}
server=$1
shift

errors=$(mktemp)
timeout 30 node --import tsx "$server.ts" "$port" 2>"$errors" &
pid=$!
until ss -tln | grep -q "127.0.0.1:$port "; do
  sleep 0.2
  kill -0 $pid 2>/dev/null || break
done

if [ "$SILENT" ]; then
  exec 4<>/dev/tcp/127.0.0.1/$port
fi
if timeout 5 bash -c '
  exec 3<>/dev/tcp/127.0.0.1/$0
  printf "%s\n" "$@" >&3
  cat <&3 | tail -n 1
' "$port" "$@"; then
  # When the next client is asked its question, the server has done with this one.
  exec 5<>/dev/tcp/127.0.0.1/$port
  read -r -t 5 -u 5 _
else
  echo "no answer"
fi
kill $pid
wait
sed -n '
  /Error: /p
  s|^ *at \(.*\) (.*/\(.*\.ts:[0-9]*\):.*|  \1 \2|p
  s|^ *at \(.*\) (.*/\(.*\.js\):.*|  \1 \2|p' "$errors"
rm "$errors"
