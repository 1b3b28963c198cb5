"""The privacy notice that a new event starts with: a neutral draft, to be read by a lawyer.

It says what the product does as shipped: Zoom gets names and addresses, nobody else gets anything,
no cookie is set. An organizer who changes one of these changes the text too.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from .texts import Text


@dataclass(frozen=True)
class Operator:
    """Who answers for the personal data. What is empty leaves its line out of the notice."""

    name: str
    legal_name: str = ""
    address: str = ""
    representative: str = ""
    contact: str = ""

    @property
    def official_name(self) -> str:
        return self.legal_name or self.name


def write_notice(operator: Operator) -> Text:
    """Return the notice as Markdown, with the 14 headings that Japanese readers expect."""
    return {"ja": _fill(_NOTICE_JA, operator), "en": _fill(_NOTICE_EN, operator)}


@dataclass(frozen=True)
class Section:
    """One of the 14 parts: its heading without the number, and what stands below."""

    heading: str
    body: str


def list_sections(locale: str, operator: Operator | None = None) -> dict[int, Section]:
    """Return the sections by their number; without an operator its lines are left out."""
    text = _fill({"ja": _NOTICE_JA, "en": _NOTICE_EN}[locale], operator or Operator(name=""))
    parts = re.split(r"^### ([0-9]+)\. (.+)$", text, flags=re.MULTILINE)[1:]
    return {
        int(number): Section(heading, body.strip())
        for number, heading, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def get_summary(locale: str) -> str:
    """Return the summary with a mark where the operator's name goes."""
    return {"ja": _SUMMARY_JA, "en": _SUMMARY_EN}[locale].strip()


def write_summary(operator: Operator) -> Text:
    """Return what stands above the box: who, why, who else, and that it is voluntary."""
    return {"ja": _fill(_SUMMARY_JA, operator), "en": _fill(_SUMMARY_EN, operator)}


def _fill(template: str, operator: Operator) -> str:
    """Put the operator into a text; a line that needs an empty member is left out."""
    members = asdict(operator) | {"official_name": operator.official_name}
    missing = ["{" + member + "}" for member, value in members.items() if not value]
    lines = [
        line.format_map(members)
        for line in template.strip().splitlines()
        if not any(member in line for member in missing)
    ]
    return "\n".join(lines)


_SUMMARY_JA = """
{official_name}は、ご入力いただいた情報を、お申し込みの受付と当日のご案内、今後の企画の改善に利用します。
お名前とメールアドレスは、参加登録のためZoom（米国）に送ります。そのほかの第三者には提供しません。
任意の項目は、ご入力がなくてもお申し込みいただけます。
"""

_SUMMARY_EN = """
{official_name} uses what you enter to handle your registration, to tell you how to join, \
and to plan future events.
Your name and email address go to Zoom (USA) to register you. No other third party receives them.
You can leave optional questions empty.
"""

_NOTICE_JA = """
### 1. 事業者の名称等

- 名称：{official_name}
- 所在地：{address}
- 代表者：{representative}

### 2. 取得する情報

- お申し込み時にご入力いただく情報（氏名、メールアドレス、会社名・団体名など）
- 参加の記録（入退室の時刻、アンケートや投票へのご回答）
- お申し込みの日時と、申込ページを知ったきっかけを示すリンクの情報

### 3. 利用目的

- お申し込みの受付、参加用URLの発行、当日までのご連絡
- ご本人の参加状況の確認と、お申し込み内容との照合
- お問い合わせへの対応
- イベントの企画と運営の改善
- ご案内メールの送信（別に同意をいただいた場合に限ります）

### 4. 第三者への提供

ご本人の同意がある場合と、法令に基づく場合など個人情報保護法が認める場合を除き、第三者に提供しません。

### 5. 取扱いの委託

利用目的の達成に必要な範囲で、取扱いを次の事業者に委託します。委託先は適切に監督します。

- Zoom Communications, Inc.：ウェビナー・ミーティングの提供（氏名、メールアドレス、参加の記録）
- 申込ページとメール配信の運用を委託する事業者

### 6. 外国にある事業者への提供

Zoom Communications, Inc.は米国にあります。\
米国の個人情報保護の制度は、個人情報保護委員会のウェブサイトでご確認いただけます。\
同社の安全管理の措置は、同社のウェブサイトに掲載されています。

### 7. 共同利用

共同利用は行いません。\
行う場合は、項目、利用する者の範囲、利用目的、取得の方法、責任者の名称・住所・代表者を、あらかじめこの文書に記載します。

### 8. 統計情報

個人を識別できない統計情報に加工し、利用または公表することがあります。

### 9. ご入力の任意性

ご入力は任意です。ただし、必須の項目にご入力がない場合は、お申し込みを受け付けられません。

### 10. Cookie、ログ、ウェブでの計測

申込ページはCookieを使用せず、ほかの事業者に閲覧の情報を送信しません。不正な利用を防ぐため、接続の記録を一定の期間保存します。

### 11. 保存期間

利用目的に必要な期間だけ保存し、必要がなくなったときは遅滞なく消去します。

### 12. 開示、訂正、利用停止、消去等の請求

ご本人は、利用目的の通知、開示、訂正、追加、削除、利用の停止、消去、第三者への提供の停止を請求できます。\
末尾の窓口にご連絡ください。ご本人であることを確認のうえ、遅滞なく対応します。\
法令が認める理由により応じられない場合は、その理由をお知らせします。

### 13. 安全管理のための措置

- 基本方針：個人データの適正な取扱いのため、法令とガイドラインを守ります。
- 規律の整備：取得、利用、保存、提供、消去の手順を定めます。
- 組織的な措置：責任者を定め、取扱いの状況を点検します。
- 人的な措置：従業者に秘密の保持を求め、研修を行います。
- 物理的な措置：機器と記録媒体の盗難と紛失を防ぎます。
- 技術的な措置：アクセスを制限し、通信を暗号化します。

### 14. お問い合わせ窓口

- {official_name}
- 所在地：{address}
- 連絡先：{contact}
"""

_NOTICE_EN = """
### 1. Who is responsible

- Name: {official_name}
- Address: {address}
- Representative: {representative}

### 2. What we collect

- what you enter when you register (name, email address, company and so on)
- how you took part (times of joining and leaving, answers to surveys and polls)
- when you registered, and which link led you to this page

### 3. What we use it for

- to handle your registration, to issue your join link, and to write to you before the event
- to see who took part, and to match that with registrations
- to answer your questions
- to plan and improve our events
- to send you news, only if you agreed to that separately

### 4. Disclosure to third parties

We give your data to nobody else without your consent, unless the law permits or requires it.

### 5. Who works for us

These companies handle data for us, for the purposes above and under our supervision:

- Zoom Communications, Inc.: webinars and meetings (name, email address, how you took part)
- the companies that run this registration page and send our emails

### 6. Transfer abroad

Zoom Communications, Inc. is in the United States. Its website describes how it protects data.

### 7. Joint use

We share data with no joint user. If that changes, this notice will first name the data, \
the users, the purposes, how the data is obtained, and who is responsible.

### 8. Statistics

We may use and publish statistics that identify nobody.

### 9. Your choice

You are free not to give us your data. Without the required answers we cannot register you.

### 10. Cookies, logs and tracking

This page sets no cookie and sends nothing about your visit to other companies. We keep connection \
logs for a limited time to prevent abuse.

### 11. How long we keep data

Only as long as the purposes above need it; then we erase it without delay.

### 12. Your rights

You may ask us what we hold about you, and to correct, complete, restrict, hand over or erase it. \
Write to the contact below. We check that it is you, and answer without delay. If the law lets us \
refuse, we tell you why. You may also complain to your data protection authority.

### 13. How we protect data

- Policy: we follow the law and its guidelines.
- Rules: we set down how data is obtained, used, kept, handed over and erased.
- Organisation: one person is responsible, and we review how data is handled.
- People: our staff is trained and bound to secrecy.
- Premises: we guard equipment and media against theft and loss.
- Technology: we limit access and encrypt connections.

### 14. Contact

- {official_name}
- Address: {address}
- Contact: {contact}
"""
