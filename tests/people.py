"""Who registers in the stories: what each of them types into the small form."""

TARO = {
    "family_name": "山田",
    "given_name": "太郎",
    "email": "taro@example.com",
    "question_company": "例株式会社",
    "question_privacy": "yes",
}
HANAKO = TARO | {"family_name": "佐藤", "given_name": "花子", "email": "hanako@example.com"}
ANN = TARO | {"family_name": "Smith", "given_name": "Ann", "email": "ann@example.com"}
