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
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// lagBehind puts a proxy between the gateway and the API server, which holds back what watches of Services and of
// EndpointSlices tell: in a real cluster, too, each kind has a watch of its own, and nothing orders them.
func lagBehind(late time.Duration) error {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return err
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return err
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
		return err
	}
	go func() {
		fmt.Fprintln(os.Stderr, http.Serve(listener, proxy))
		os.Exit(1)
	}()
	return useKubeconfig("http://" + listener.Addr().String())
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

const kubeconfig = `{
	"apiVersion": "v1", "kind": "Config", "current-context": "late",
	"clusters": [{"name": "late", "cluster": {"server": %q}}],
	"contexts": [{"name": "late", "context": {"cluster": "late"}}]
}`

func useKubeconfig(server string) error {
	file, err := os.CreateTemp(filepath.Dir(os.Getenv("KUBECONFIG")), "gateway-kubeconfig-")
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := fmt.Fprintf(file, kubeconfig, server); err != nil {
		return err
	}
	return os.Setenv("KUBECONFIG", file.Name())
}
