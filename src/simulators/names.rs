//! Names for simulated people and groups: ordinary ones in several scripts, and the awkward ones that break things.

/// A name and the letters that an address makes of it.
pub(super) struct Part(pub(super) &'static str, pub(super) &'static str);

pub(super) const GIVEN: &[Part] = &[
    Part("Anna", "anna"),
    Part("Ben", "ben"),
    Part("Chloé", "chloe"),
    Part("Dmitri", "dmitri"),
    Part("Esra", "esra"),
    Part("Fatima", "fatima"),
    Part("Georgios", "georgios"),
    Part("Hana", "hana"),
    Part("Ingrid", "ingrid"),
    Part("João", "joao"),
    Part("Katarzyna", "katarzyna"),
    Part("Liam", "liam"),
    Part("Mei", "mei"),
    Part("Noah", "noah"),
    Part("Olga", "olga"),
    Part("Priya", "priya"),
    Part("Quentin", "quentin"),
    Part("Ravi", "ravi"),
    Part("Sofía", "sofia"),
    Part("Thomas", "thomas"),
    Part("Uma", "uma"),
    Part("Victor", "victor"),
    Part("Wanjiru", "wanjiru"),
    Part("Xavier", "xavier"),
    Part("Yusuf", "yusuf"),
    Part("Zoë", "zoe"),
    Part("Мария", "maria"),
    Part("Ελένη", "eleni"),
    Part("美咲", "misaki"),
    Part("伟", "wei"),
    Part("지훈", "jihun"),
    Part("نور", "nour"),
];

pub(super) const SURNAMES: &[Part] = &[
    Part("Andersson", "andersson"),
    Part("Bauer", "bauer"),
    Part("Costa", "costa"),
    Part("Dubois", "dubois"),
    Part("Eriksen", "eriksen"),
    Part("Ferrari", "ferrari"),
    Part("García", "garcia"),
    Part("Haddad", "haddad"),
    Part("Ivanova", "ivanova"),
    Part("Jansen", "jansen"),
    Part("Kowalczyk", "kowalczyk"),
    Part("Lindqvist", "lindqvist"),
    Part("Müller", "mueller"),
    Part("Nguyễn", "nguyen"),
    Part("Okafor", "okafor"),
    Part("Patel", "patel"),
    Part("Quispe", "quispe"),
    Part("Rossi", "rossi"),
    Part("Sørensen", "soerensen"),
    Part("Tanaka", "tanaka"),
    Part("Urban", "urban"),
    Part("Varga", "varga"),
    Part("Weiß", "weiss"),
    Part("Yılmaz", "yilmaz"),
    Part("Živković", "zivkovic"),
    Part("王", "wang"),
    Part("Смирнов", "smirnov"),
];

pub(super) const DEPARTMENTS: &[&str] =
    &["Sales", "Engineering", "Finance", "Human Resources", "Legal", "Operations", "Support", "Facilities"];

pub(super) const JOB_TITLES: &[&str] =
    &["Analyst", "Engineer", "Manager", "Specialist", "Coordinator", "Director", "Assistant", "Consultant"];

/// Group names; directories larger than this list number them. The third part carries the awkward ones.
pub(super) const GROUPS: &[&str] = &[
    "Sales",
    "Engineering",
    "app-admins",
    "Finance",
    "app-viewers",
    "Human Resources",
    "Vertrieb Süd",
    "営業部",
    "R&D / Labs",
    "Ops \"Night\" Shift",
    "All Staff, EMEA",
    "Field <Service>",
    "Legal",
    "Support",
    "Équipe Paris",
    "Engineering",
];

/// How the mail address of an awkward person comes about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mail {
    SameAsLogin,
    /// No mailbox. Okta demands an address, so there it is the login.
    None,
    /// An address that is not the login.
    Other(&'static str),
}

/// Somebody whose record has broken a sync before. `local` stands before the `@` of the login.
pub(super) struct Awkward {
    pub(super) given: Option<&'static str>,
    pub(super) surname: Option<&'static str>,
    pub(super) display: &'static str,
    pub(super) local: &'static str,
    pub(super) mail: Mail,
    pub(super) guest: bool,
}

const PLAIN: Awkward =
    Awkward { given: None, surname: None, display: "", local: "", mail: Mail::SameAsLogin, guest: false };

/// The first people of every seeded directory, as far as it is large enough.
pub(super) const AWKWARD: &[Awkward] = &[
    // An apostrophe is legal in a user principal name and has to be doubled in an OData key.
    Awkward {
        given: Some("Siobhán"),
        surname: Some("O'Brien"),
        display: "Siobhán O'Brien",
        local: "siobhan.o'brien",
        ..PLAIN
    },
    // The same name twice, composed (NFC) and decomposed (NFD): two people, equal to the eye.
    Awkward {
        given: Some("Jos\u{e9}"),
        surname: Some("N\u{fa}\u{f1}ez"),
        display: "Jos\u{e9} N\u{fa}\u{f1}ez",
        local: "jose.nunez",
        ..PLAIN
    },
    Awkward {
        given: Some("Jose\u{301}"),
        surname: Some("Nu\u{301}n\u{303}ez"),
        display: "Jose\u{301} Nu\u{301}n\u{303}ez",
        local: "jose.nunez2",
        ..PLAIN
    },
    // Equal display names.
    Awkward { given: Some("Alex"), surname: Some("Kim"), display: "Alex Kim", local: "alex.kim", ..PLAIN },
    Awkward { given: Some("Alex"), surname: Some("Kim"), display: "Alex Kim", local: "alex.kim7", ..PLAIN },
    // A guest with and one without a mail address; the local part is their own address.
    Awkward {
        given: Some("Ines"),
        surname: Some("Moreau"),
        display: "Ines Moreau (Partner)",
        local: "ines.moreau_partner.example",
        mail: Mail::Other("ines.moreau@partner.example"),
        guest: true,
    },
    Awkward {
        given: None,
        surname: None,
        display: "auditor_2",
        local: "auditor_2_audit.example",
        mail: Mail::None,
        guest: true,
    },
    // A member without a mailbox.
    Awkward {
        given: Some("Kwame"),
        surname: Some("Mensah"),
        display: "Kwame Mensah",
        local: "kwame.mensah",
        mail: Mail::None,
        ..PLAIN
    },
    Awkward {
        given: Some("小明"), surname: Some("王"), display: "王小明", local: "wang.xiaoming", ..PLAIN
    },
    Awkward {
        given: Some("محمد"),
        surname: Some("العلي"),
        display: "\u{200f}محمد العلي",
        local: "mohammed.alali",
        ..PLAIN
    },
    Awkward {
        given: Some("Наталья"),
        surname: Some("Иванова-Петрова"),
        display: "Иванова-Петрова Наталья",
        local: "n.ivanova-petrova",
        ..PLAIN
    },
    Awkward {
        given: Some("สมชาย"),
        surname: Some("ใจดี"),
        display: "สมชาย ใจดี",
        local: "somchai.jaidee",
        ..PLAIN
    },
    // One name only.
    Awkward { given: Some("Suharto"), surname: None, display: "Suharto", local: "suharto", ..PLAIN },
    // 64 characters, the limit of givenName and surname in Entra.
    Awkward {
        given: Some("Maria-Theresia Wilhelmine Josepha Antonia Walburga Felicitas Reg"),
        surname: Some("von und zu Hohenstein-Wildenburg auf Sankt Peter an der Hinterau"),
        display: "Maria-Theresia Wilhelmine Josepha Antonia Walburga Felicitas Reg von und zu \
                  Hohenstein-Wildenburg auf Sankt Peter an der Hinterau, Head of the Department for \
                  Long Names, Longer Titles and the Longest Signatures of the Whole Southern Region",
        local: "maria.hohenstein",
        ..PLAIN
    },
    // Spaces around the name, quotes, a comma, markup.
    Awkward { given: Some("Kai"), surname: Some("Lund"), display: " Kai  Lund ", local: "kai.lund", ..PLAIN },
    Awkward {
        given: Some("John \"JJ\""),
        surname: Some("D'Arcy, Jr."),
        display: "D'Arcy, Jr., John \"JJ\" <b>(Contractor)</b>",
        local: "jj.darcy",
        ..PLAIN
    },
    // The mail address is not the login, and differs in case.
    Awkward {
        given: Some("Lena"),
        surname: Some("Vogel"),
        display: "Lena Vogel",
        local: "lvogel",
        mail: Mail::Other("Lena.Vogel+it@acme.example"),
        ..PLAIN
    },
    // Starts with a dollar sign: not usable as a plain path segment in Graph.
    Awkward { given: None, surname: None, display: "$svc-backup", local: "$svc-backup", ..PLAIN },
    // Four bytes a character: Graph keeps it; Okta stores three at most, so the seed leaves it out there.
    Awkward {
        given: Some("Robin"),
        surname: Some("Park"),
        display: "Robin 🦊 Park",
        local: "robin.park",
        ..PLAIN
    },
];
