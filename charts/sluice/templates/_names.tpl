{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains "sluice" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-sluice" (.Release.Name | trunc 33 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "sluice.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: sluice
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Never changes: a Deployment's selector is immutable. */}}
{{- define "sluice.selector" -}}
app.kubernetes.io/name: sluice
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "sluice.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* By which version the cluster serves policies; empty where it does not, or none is wanted. */}}
{{- define "sluice.policyVersion" -}}
{{- $wanted := toString .Values.policy.enabled -}}
{{- $found := "" -}}
{{- range list "v1alpha1" "v1beta1" "v1" -}}
{{- $version := printf "admissionregistration.k8s.io/%s" . -}}
{{- if $.Capabilities.APIVersions.Has (printf "%s/MutatingAdmissionPolicy" $version) -}}
{{- $found = $version -}}
{{- end -}}
{{- end -}}
{{- if and (eq $wanted "true") (not $found) -}}
{{- fail "policy.enabled: this cluster serves no MutatingAdmissionPolicy: leave it at auto" -}}
{{- end -}}
{{- if ne $wanted "false" -}}
{{- $found -}}
{{- end -}}
{{- end -}}

{{- define "sluice.failurePolicy" -}}
{{- if ne .Values.webhook.failurePolicy "auto" -}}
{{- .Values.webhook.failurePolicy -}}
{{- else if include "sluice.policyVersion" . -}}
Ignore
{{- else -}}
Fail
{{- end -}}
{{- end -}}

{{/* Another where cert-manager keeps it: the type of a Secret cannot be changed. */}}
{{- define "sluice.certificateSecret" -}}
{{ include "sluice.fullname" . }}-webhook-{{ ternary "tls" "certificate" .Values.certificates.certManager.enabled }}
{{- end -}}

{{- define "sluice.servingDays" -}}
{{- with .Values.certificates -}}
{{- if gt (int .servingDays) (int .caDays) -}}
{{- fail (printf "certificates.servingDays: expected %d at most, which is certificates.caDays, got %d" (int .caDays) (int .servingDays)) -}}
{{- end -}}
{{- int .servingDays -}}
{{- end -}}
{{- end -}}

{{/* The Secret and the Lease are made by the processes, and so are not the chart's to delete. */}}
{{- define "sluice.lease" -}}
{{ include "sluice.fullname" . }}-controller
{{- end -}}

{{- define "sluice.extraKinds" -}}
{{- include "sluice.kinds" (dict "value" "extraKinds" "kinds" .Values.extraKinds "known" (include "sluice.releasedKinds" .) "does" "is released") -}}
{{- end -}}

{{- define "sluice.routeKinds" -}}
{{- include "sluice.kinds" (dict "value" "traffic.extraKinds" "kinds" .Values.traffic.extraKinds "known" (include "sluice.routedKinds" .) "does" "routes requests") -}}
{{- end -}}

{{/* Kinds, as a flag says them; in none of .known, by whatever version. */}}
{{- define "sluice.kinds" -}}
{{- $known := splitList " " .known -}}
{{- range $index, $kind := .kinds -}}
{{- if has (printf "%s/%s" (splitList "/" $kind.apiVersion | first) $kind.kind) $known -}}
{{- fail (printf "%s: %s %s %s without being named here: take it out" $.value $kind.apiVersion $kind.kind $.does) -}}
{{- end -}}
{{- if $index }},{{ end }}{{ $kind.apiVersion }}/{{ $kind.kind }}={{ $kind.plural }}
{{- end -}}
{{- end -}}

{{/* What all pods have in common; .component, .values: their part of the values. */}}
{{- define "sluice.pod" -}}
serviceAccountName: {{ include "sluice.fullname" .root }}-{{ .component }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "sluice.selector" $ | nindent 8 }}
  {{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "sluice.container" -}}
image: {{ include "sluice.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
env:
  {{- /* Each arena keeps what was freed in it; two are enough for a process of which one thread works. */}}
  - name: MALLOC_ARENA_MAX
    value: "2"
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
resources:
  {{- toYaml .values.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "sluice.probes" -}}
livenessProbe:
  httpGet:
    path: /healthz
    port: probes
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet:
    path: /readyz
    port: probes
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end -}}

{{/* Of everything that is there while an uninstallation runs; the weight says in which order it comes. */}}
{{- define "sluice.uninstall" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
