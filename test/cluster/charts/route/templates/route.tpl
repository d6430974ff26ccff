apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: web
spec:
  parentRefs:
    - name: gate
  hostnames:
    - {{ .Values.host }}
  rules:
    {{- if .Values.health }}
    - name: health
      matches:
        - path:
            type: Exact
            value: /healthz
      backendRefs:
        - name: images
          port: 80
    {{- end }}
    - name: all
      backendRefs:
        - name: web
          port: 80
