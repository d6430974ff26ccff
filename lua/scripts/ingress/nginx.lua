-- For ingress-nginx, and for Higress, which reads the same annotations.

split('nginx.ingress.kubernetes.io/canary')

return annotations
