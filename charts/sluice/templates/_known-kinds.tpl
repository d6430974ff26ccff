{{- /* DO NOT EDIT: made by charts/generated.ts from the registries of kinds. */}}
{{- define "sluice.releasedKinds" -}}
apps.kruise.io/CloneSet apps.kruise.io/DaemonSet apps.kruise.io/StatefulSet apps/DaemonSet apps/Deployment apps/StatefulSet
{{- end -}}
{{- define "sluice.routedKinds" -}}
gateway.networking.k8s.io/GRPCRoute gateway.networking.k8s.io/HTTPRoute networking.istio.io/DestinationRule networking.istio.io/VirtualService networking.k8s.io/Ingress
{{- end -}}
