apiVersion: {{ .Values.apiVersion }}
kind: {{ .Values.kind }}
metadata:
  name: web
  labels:
    app.kubernetes.io/managed-by: {{ .Release.Service }}
spec:
  {{- if ne .Values.kind "DaemonSet" }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  {{- with .Values.spec }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      {{- with .Values.pod }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      containers:
        - name: app
          image: {{ .Values.image }}
