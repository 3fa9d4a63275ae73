// A SCIM server that is not ours: SCIMMY's routers over two maps. The protocol, with its filters, patches and
// errors, is SCIMMY's; kept and found is here.
//
// usage: NODE_PATH=folder/node_modules node scimmy.cjs TOKEN     (it says where it listens)

const express = require("express");
const SCIMMY = unwrapped(require("scimmy"));
const SCIMMYRouters = unwrapped(require("scimmy-routers"));

const token = process.argv[2];
let made = 0;

function unwrapped(module) {
    return module.default ?? module;
}

function shelf(kind, unique) {
    const kept = new Map();
    const taken = (id, value) => [...kept.values()].some((other) =>
        other.id !== id && other[unique]?.toLowerCase() === value?.toLowerCase());
    return {
        // Created where there is no id yet, else changed.
        ingress(resource, data) {
            const id = resource.id ?? `${kind}-${++made}`;
            if (resource.id && !kept.has(id)) throw new SCIMMY.Types.Error(404, null, "there is no such resource");
            if (taken(id, data[unique])) throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} is taken`);
            kept.set(id, {...JSON.parse(JSON.stringify(data)), id});
            return kept.get(id);
        },
        egress(resource) {
            if (!resource.id) return resource.filter ? resource.filter.match([...kept.values()]) : [...kept.values()];
            if (!kept.has(resource.id)) throw new SCIMMY.Types.Error(404, null, "there is no such resource");
            return kept.get(resource.id);
        },
        degress(resource) {
            if (!kept.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, "there is no such resource");
        },
    };
}

SCIMMY.Resources.declare(SCIMMY.Resources.User, {
    ...shelf("user", "userName"),
    extensions: [{schema: SCIMMY.Schemas.EnterpriseUser, required: false}],
});
SCIMMY.Resources.declare(SCIMMY.Resources.Group, shelf("group", "displayName"));

const app = express();
app.use("/scim/v2", new SCIMMYRouters({
    type: "bearer",
    handler(request) {
        if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("who are you");
        return "a client";
    },
}));
const server = app.listen(0, "127.0.0.1", () => {
    console.log(`Serving SCIM on http://127.0.0.1:${server.address().port}/scim/v2`);
});
