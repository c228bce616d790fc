# CPGateway for production. The database is somebody else's: the embedded PostgreSQL is left out.
FROM node:24-slim AS build
WORKDIR /app
ENV NODE_ENV=production
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY migrations migrations
COPY src src
RUN npm run build
# The compiler has done its work; what is not there cannot be misused.
RUN npm uninstall --no-save --omit=dev --omit=optional --no-audit --no-fund @nestjs/cli typescript

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/migrations/functions migrations/functions
# Files belong to root and the process does not: it cannot change its own code.
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# A small young generation and a bounded old one keep the memory small after a peak and cost no measurable speed
# (docs/benchmarks.md); 512 MB is ten times what lives, and fits the container's limit.
CMD ["node", "--max-semi-space-size=8", "--max-old-space-size=512", "dist/src/main.js"]
