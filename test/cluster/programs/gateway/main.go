// A gateway for the data plane of the tests: what Traefik makes of Gateways, HTTPRoutes, Services and
// EndpointSlices, and what it says of that in their status, is its own, and so are its rules and its balancers. Only
// what lies between them is made here, since the server of Traefik brings all of its providers along, which take
// longer to build than everything else of the tests.
//
// Usage: gateway <port> <lag>, with KUBECONFIG. It learns of Services and of EndpointSlices later than of routes, by
// such a lag as 200ms. Each time when requests go otherwise it prints how, as a line of JSON. It ends with its
// standard input.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/rs/zerolog/log"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/middlewares/gatewayapi/headermodifier"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"
	"github.com/traefik/traefik/v3/pkg/provider/kubernetes/gateway"
	"github.com/traefik/traefik/v3/pkg/safe"
	"github.com/traefik/traefik/v3/pkg/server/service/loadbalancer/wrr"
)

// Backend is where a part of the requests goes.
type Backend struct {
	Name    string   `json:"name"`
	Weight  int      `json:"weight"`
	Servers []string `json:"servers"`
}

// Rule is one by which requests are told apart.
type Rule struct {
	Rule     string    `json:"rule"`
	Backends []Backend `json:"backends"`
}

var transport = &http.Transport{MaxIdleConnsPerHost: 200}

func main() {
	if err := run(":"+os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(address, lag string) error {
	log.Logger = zerolog.New(os.Stderr).Level(zerolog.WarnLevel)
	zerolog.DefaultContextLogger = &log.Logger
	late, err := time.ParseDuration(lag)
	if err != nil {
		return err
	}
	endpoint, err := lagBehind(late)
	if err != nil {
		return err
	}
	// Else the provider would ask the API server itself.
	if err := os.Unsetenv("KUBECONFIG"); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	provider := &gateway.Provider{
		Endpoint:      endpoint,
		EntryPoints:   map[string]gateway.Entrypoint{"web": {Address: address}},
		StatusAddress: &gateway.StatusAddress{IP: "127.0.0.1"},
	}
	if err := provider.Init(); err != nil {
		return err
	}
	messages := make(chan dynamic.Message)
	if err := provider.Provide(messages, safe.NewPool(context.Background())); err != nil {
		return err
	}
	var current atomic.Pointer[muxer.Muxer]
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	go serve(listener, &current)
	for message := range messages {
		routes, rules, err := build(message.Configuration.HTTP)
		if err != nil {
			return err
		}
		current.Store(routes)
		line, err := json.Marshal(map[string]any{"rules": rules})
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
	return nil
}

func serve(listener net.Listener, current *atomic.Pointer[muxer.Muxer]) {
	decorator := requestdecorator.New(nil)
	handler := http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		routes := current.Load()
		if routes == nil {
			http.Error(answer, "no routes yet", http.StatusServiceUnavailable)
			return
		}
		decorator.ServeHTTP(answer, request, routes.ServeHTTP)
	})
	fmt.Fprintln(os.Stderr, http.Serve(listener, handler))
	os.Exit(1)
}

func build(configuration *dynamic.HTTPConfiguration) (*muxer.Muxer, []Rule, error) {
	parser, err := muxer.NewSyntaxParser()
	if err != nil {
		return nil, nil, err
	}
	routes := muxer.NewMuxer(parser)
	rules := []Rule{}
	for _, router := range configuration.Routers {
		handler, backends, err := balancer(configuration, router.Service)
		if err != nil {
			return nil, nil, err
		}
		for _, name := range router.Middlewares {
			if handler, err = modified(configuration.Middlewares[name], name, handler); err != nil {
				return nil, nil, err
			}
		}
		if err := routes.AddRoute(router.Rule, router.RuleSyntax, router.Priority, handler); err != nil {
			return nil, nil, err
		}
		rules = append(rules, Rule{Rule: router.Rule, Backends: backends})
	}
	return routes, rules, nil
}

func balancer(configuration *dynamic.HTTPConfiguration, name string) (http.Handler, []Backend, error) {
	service := configuration.Services[name]
	if service == nil || service.Weighted == nil {
		return nil, nil, fmt.Errorf("%s is no weighted service", name)
	}
	all := wrr.New(nil, false)
	backends := []Backend{}
	for _, part := range service.Weighted.Services {
		weight := 1
		if part.Weight != nil {
			weight = *part.Weight
		}
		handler, addresses := servers(configuration.Services[part.Name], part.Status)
		all.Add(part.Name, handler, &weight, false)
		backends = append(backends, Backend{Name: part.Name, Weight: weight, Servers: addresses})
	}
	return all, backends, nil
}

func servers(service *dynamic.Service, status *int) (http.Handler, []string) {
	addresses := []string{}
	if status != nil || service == nil || service.LoadBalancer == nil {
		return http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
			http.Error(answer, "no backend", http.StatusInternalServerError)
		}), addresses
	}
	each := wrr.New(nil, false)
	for _, server := range service.LoadBalancer.Servers {
		target, err := url.Parse(server.URL)
		if err != nil {
			continue
		}
		addresses = append(addresses, target.Host)
		proxy := &httputil.ReverseProxy{
			Transport: transport,
			Rewrite: func(request *httputil.ProxyRequest) {
				request.SetURL(target)
				request.Out.Host = request.In.Host
			},
		}
		each.AddServer(server.URL, proxy, server)
	}
	return each, addresses
}

func modified(middleware *dynamic.Middleware, name string, next http.Handler) (http.Handler, error) {
	if middleware == nil || middleware.RequestHeaderModifier == nil {
		return nil, fmt.Errorf("filter %s is not made here", name)
	}
	modifier := *middleware.RequestHeaderModifier
	return headermodifier.NewRequestHeaderModifier(context.Background(), next, modifier, name), nil
}
