-- For the ALB Ingress Controller.

split('alb.ingress.kubernetes.io/canary')
annotations['alb.ingress.kubernetes.io/order'] = '1'

return annotations
