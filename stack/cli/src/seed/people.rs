//! Made-up people: names, where they live, how to reach them. Addresses are at
//! example domains (RFC 2606) and telephone numbers in ranges that nobody can
//! be called at.

use super::random::Random;

/// Where somebody lives.
#[derive(Debug)]
pub(super) struct Place {
    /// ISO 3166-1.
    pub(super) country: &'static str,
    /// BCP 47: the language that they read, and the country.
    pub(super) locale: &'static str,
    /// The IANA name.
    pub(super) time_zone: &'static str,
    /// Hours ahead of UTC in winter; readings need no more.
    pub(super) utc_offset_hours: i64,
    /// Kept free for fiction by the country's regulator, or an area code that
    /// is not assigned (+7 000); `#` stands for any digit.
    phone: &'static str,
}

const fn place(
    country: &'static str,
    locale: &'static str,
    time_zone: &'static str,
    utc_offset_hours: i64,
    phone: &'static str,
) -> Place {
    Place {
        country,
        locale,
        time_zone,
        utc_offset_hours,
        phone,
    }
}

/// Places with how many of a hundred customers live there.
const PLACES: [(Place, f64); 9] = [
    (
        place("GB", "en-GB", "Europe/London", 0, "+447700900###"),
        18.0,
    ),
    (
        place("US", "en-US", "America/New_York", -5, "+121255501##"),
        14.0,
    ),
    (
        place("US", "en-US", "America/Los_Angeles", -8, "+121355501##"),
        8.0,
    ),
    (
        place("IE", "en-IE", "Europe/Dublin", 0, "+35320910####"),
        6.0,
    ),
    (
        place("DE", "en-DE", "Europe/Berlin", 1, "+493023125###"),
        8.0,
    ),
    (
        place("DE", "ru-DE", "Europe/Berlin", 1, "+493023125###"),
        6.0,
    ),
    (
        place("RU", "ru-RU", "Europe/Moscow", 3, "+7000#######"),
        26.0,
    ),
    (
        place("RU", "ru-RU", "Asia/Novosibirsk", 7, "+7000#######"),
        8.0,
    ),
    (place("KZ", "ru-KZ", "Asia/Almaty", 5, "+7000#######"), 6.0),
];

/// Where the people live who can sign in.
const HOME: &Place = &PLACES[4].0;

/// A made-up person.
#[derive(Debug)]
pub(super) struct Person {
    /// In the script of their language.
    pub(super) full_name: String,
    /// At an example domain.
    pub(super) email: String,
    /// E.164, not assigned to anybody.
    pub(super) phone: String,
    /// Where they live.
    pub(super) place: &'static Place,
}

/// Names of the people who can sign in, as the identity provider has them.
const SIGN_INS: [(&str, &str); 2] = [("Anna", "Orlova"), ("Boris", "Klein")];

const ENGLISH_GIVEN: [&str; 24] = [
    "Alice", "Oliver", "Grace", "Henry", "Emily", "Jack", "Sophie", "Thomas", "Nora", "Daniel",
    "Ruby", "Samuel", "Maya", "Patrick", "Ella", "Marcus", "Hannah", "Leo", "Zoe", "Adam",
    "Claire", "Victor", "Irene", "Felix",
];
const ENGLISH_FAMILY: [&str; 24] = [
    "Bennett", "Carter", "Doyle", "Ellis", "Foster", "Grant", "Hughes", "Irving", "Jensen",
    "Keane", "Lawson", "Murphy", "Nolan", "O'Brien", "Parker", "Quinn", "Reid", "Shaw", "Turner",
    "Usher", "Vaughan", "Walsh", "Young", "Abbott",
];
/// In Cyrillic and, for addresses, in Latin letters.
const RUSSIAN_WOMEN: [(&str, &str); 12] = [
    ("Анна", "anna"),
    ("Мария", "maria"),
    ("Елена", "elena"),
    ("Ольга", "olga"),
    ("Татьяна", "tatiana"),
    ("Наталья", "natalia"),
    ("Ирина", "irina"),
    ("Светлана", "svetlana"),
    ("Юлия", "yulia"),
    ("Дарья", "daria"),
    ("Ксения", "ksenia"),
    ("Полина", "polina"),
];
const RUSSIAN_MEN: [(&str, &str); 12] = [
    ("Алексей", "alexey"),
    ("Дмитрий", "dmitry"),
    ("Сергей", "sergey"),
    ("Андрей", "andrey"),
    ("Иван", "ivan"),
    ("Михаил", "mikhail"),
    ("Николай", "nikolay"),
    ("Павел", "pavel"),
    ("Фёдор", "fedor"),
    ("Юрий", "yury"),
    ("Артём", "artem"),
    ("Егор", "egor"),
];
/// Men's form; women's has one more "а".
const RUSSIAN_FAMILY: [(&str, &str); 16] = [
    ("Соколов", "sokolov"),
    ("Кузнецов", "kuznetsov"),
    ("Морозов", "morozov"),
    ("Волков", "volkov"),
    ("Лебедев", "lebedev"),
    ("Новиков", "novikov"),
    ("Фёдоров", "fedorov"),
    ("Зайцев", "zaitsev"),
    ("Никитин", "nikitin"),
    ("Ильин", "ilyin"),
    ("Воробьёв", "vorobyev"),
    ("Щукин", "schukin"),
    ("Ершов", "ershov"),
    ("Жуков", "zhukov"),
    ("Чернышёв", "chernyshev"),
    ("Хохлов", "khokhlov"),
];

/// Makes the customer with this number.
pub(super) fn person(random: &mut Random, number: usize) -> Person {
    let (place, name, address) = match SIGN_INS.get(number) {
        Some((given, family)) => (
            HOME,
            format!("{given} {family}"),
            format!("{given}.{family}").to_lowercase(),
        ),
        None => {
            let weights = PLACES.each_ref().map(|(_, weight)| *weight);
            let place = &PLACES[random.weighted(&weights)].0;
            let (name, address) = if place.locale.starts_with("ru") {
                russian(random)
            } else {
                english(random)
            };
            (place, name, address)
        }
    };
    let domain = random.pick(&["example.com", "example.org", "example.net"]);
    Person {
        full_name: name,
        email: format!("{address}.{number}@{domain}"),
        phone: place
            .phone
            .chars()
            .map(|c| if c == '#' { digit(random) } else { c })
            .collect(),
        place,
    }
}

fn digit(random: &mut Random) -> char {
    *random.pick(&['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
}

fn english(random: &mut Random) -> (String, String) {
    let (given, family) = (random.pick(&ENGLISH_GIVEN), random.pick(&ENGLISH_FAMILY));
    (
        format!("{given} {family}"),
        format!("{given}.{family}").to_lowercase().replace('\'', ""),
    )
}

fn russian(random: &mut Random) -> (String, String) {
    let woman = random.chance(0.5);
    let (given, given_latin) = random.pick(if woman { &RUSSIAN_WOMEN } else { &RUSSIAN_MEN });
    let (family, family_latin) = random.pick(&RUSSIAN_FAMILY);
    let (ending, ending_latin) = if woman { ("а", "a") } else { ("", "") };
    (
        format!("{given} {family}{ending}"),
        format!("{given_latin}.{family_latin}{ending_latin}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Vec<Person> {
        (0..500)
            .map(|number| person(&mut Random::stream(1, &[number as u64]), number))
            .collect()
    }

    #[test]
    fn addresses_are_ascii_at_example_domains() {
        for person in people() {
            assert!(
                person.email.is_ascii() && person.email.contains("@example."),
                "{}",
                person.email
            );
            assert!(
                person
                    .email
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "@.".contains(c)),
                "{}",
                person.email
            );
        }
    }

    #[test]
    fn telephone_numbers_are_e164() {
        for person in people() {
            let digits = person.phone.strip_prefix('+').expect("a plus sign");
            assert!(
                (8..=15).contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_digit()),
                "{digits}"
            );
        }
    }

    #[test]
    fn readers_of_russian_have_cyrillic_names_and_nobody_else() {
        let cyrillic = |name: &str| name.chars().any(|c| ('А'..='ё').contains(&c));
        let people = people();
        assert!(
            people
                .iter()
                .all(|person| cyrillic(&person.full_name) == person.place.locale.starts_with("ru"))
        );
        let readers = people
            .iter()
            .filter(|person| cyrillic(&person.full_name))
            .count();
        assert!((150..350).contains(&readers), "{readers}");
    }
}
