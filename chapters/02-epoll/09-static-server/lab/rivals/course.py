# The course's static server over epoll: its listing 2.3, line by line. Its comments are in English here.
import socket
import time
import sys
import re
import select


class WSGIServer(object):
    """The web server."""

    def __init__(self, port, documents_root):

        # 1. Create a socket.
        self.server_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # 2. Bind it to the port.
        self.server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server_socket.bind(("", port))
        # 3. Make it a listener.
        self.server_socket.listen(128)

        self.documents_root = documents_root

        # Create an epoll instance.
        self.epoll = select.epoll()
        # Register the listener.
        self.epoll.register(self.server_socket.fileno(), select.EPOLLIN|select.EPOLLET)

        # The socket of each descriptor.
        self.fd_socket = dict()

    def run_forever(self):
        """Runs the server."""

        while True:
            # Wait for events; without a time limit, poll() blocks.
            epoll_list = self.epoll.poll()

            for fd, event in epoll_list:
                # The listener is readable: a client can be accepted.
                if fd == self.server_socket.fileno():
                    new_socket, new_addr = self.server_socket.accept()
                    # Register the client's socket.
                    self.epoll.register(new_socket.fileno(), select.EPOLLIN | select.EPOLLET)
                    self.fd_socket[new_socket.fileno()] = new_socket
                # Data has arrived.
                elif event == select.EPOLLIN:
                    request = self.fd_socket[fd].recv(1024).decode("utf-8")
                    if request:
                        self.deal_with_request(request, self.fd_socket[fd])
                    else:
                        # Unregister the client.
                        self.epoll.unregister(fd)
                        # Close its descriptor.
                        self.fd_socket[fd].close()
                        # Forget its socket.
                        del self.fd_socket[fd]

    def deal_with_request(self, request, client_socket):
        """Answers one request."""

        if not request:
            return

        request_lines = request.splitlines()
        for i, line in enumerate(request_lines):
            print(i, line)

        # Find the name of the file:
        # GET /a/b/c/d/e/index.html HTTP/1.1
        ret = re.match(r"([^/]*)([^ ]+)", request_lines[0])
        if ret:
            print("正则提取数据:", ret.group(1))
            print("正则提取数据:", ret.group(2))
            file_name = ret.group(2)
            if file_name == "/":
                file_name = "/index.html"


        # Read the file.
        try:
            f = open(self.documents_root+file_name, "rb")
        except:
            response_body = "file not found, 请输入正确的url"

            response_header = "HTTP/1.1 404 not found\r\n"
            response_header += "Content-Type: text/html; charset=utf-8\r\n"
            response_header += "Content-Length: %d\r\n" % len(response_body)
            response_header += "\r\n"

            # Send the head.
            client_socket.send(response_header.encode('utf-8'))

            # Send the body.
            client_socket.send(response_body.encode("utf-8"))
        else:
            content = f.read()
            f.close()

            response_body = content

            response_header = "HTTP/1.1 200 OK\r\n"
            response_header += "Content-Length: %d\r\n" % len(response_body)
            response_header += "\r\n"

            # Send head and body.
            client_socket.send(response_header.encode("utf-8")+response_body)


# The folder that is served.
DOCUMENTS_ROOT = "./html"


def main():
    """Starts the server."""
    # python3 xxxx.py 7890
    if len(sys.argv) == 2:
        port = sys.argv[1]
        if port.isdigit():
            port = int(port)
    else:
        print("运行方式如: python3 xxx.py 7890")
        return

    print("http服务器使用的port:%s" % port)
    http_server = WSGIServer(port, DOCUMENTS_ROOT)
    http_server.run_forever()


if __name__ == "__main__":
    main()
