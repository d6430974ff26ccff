# One image for all programs: `npm run image-tree` makes its tree, with or without docker. The chart
# says which program runs. Nothing in it but Node, the stripped sources and their packages: no shell.
FROM node:24-trixie-slim AS tree
WORKDIR /checkout
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts
COPY . .
RUN npm run image-tree -- /tree

FROM gcr.io/distroless/nodejs24-debian13:nonroot
COPY --from=tree /tree /app
WORKDIR /app
ENV NODE_ENV=production
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node"]
