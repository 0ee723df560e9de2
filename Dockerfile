ARG NODE_VERSION=20

# Has python3, make and g++, with which better-sqlite3 is compiled where no ready-made one can be fetched.
FROM node:${NODE_VERSION}-bookworm AS build
WORKDIR /src
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml .pnpmfile.cjs ./
RUN npx -y pnpm@10.34.9 install --frozen-lockfile
COPY . .
RUN npx -y pnpm@10.34.9 build
RUN sh scripts/pack.sh /out

FROM node:${NODE_VERSION}-bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends iproute2 nftables wireguard-tools \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /out /app
WORKDIR /app
# The wallet alone may take a minute at a start before buyers are served.
HEALTHCHECK --start-period=2m --interval=30s --timeout=5s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# A small young generation: with ten thousand tunnels it saves 20 MiB.
ENTRYPOINT ["node", "--max-semi-space-size=4", "dist/index.cjs"]
