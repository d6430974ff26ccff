package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// lagBehind starts a proxy before the API server that KUBECONFIG names, and returns its URL. It holds back what watches
// of Services and of EndpointSlices tell: in a real cluster, too, each kind has a watch of its own, and nothing orders
// them.
func lagBehind(late time.Duration) (string, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return "", err
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return "", err
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return "", err
	}
	proxy := &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		Rewrite:       func(request *httputil.ProxyRequest) { request.SetURL(server) },
		ModifyResponse: func(answer *http.Response) error {
			switch path.Base(answer.Request.URL.Path) {
			case "services", "endpointslices":
				answer.Body = lagging{answer.Body, late}
			}
			return nil
		},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		fmt.Fprintln(os.Stderr, http.Serve(listener, proxy))
		os.Exit(1)
	}()
	return "http://" + listener.Addr().String(), nil
}

type lagging struct {
	io.ReadCloser
	late time.Duration
}

func (body lagging) Read(into []byte) (int, error) {
	count, err := body.ReadCloser.Read(into)
	time.Sleep(body.late)
	return count, err
}
