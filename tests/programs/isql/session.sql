create table member (id integer primary key, name varchar(30), born date)
insert into member values (1, 'Ada', '1815-12-10')
insert into member values (2, 'Zoë 😀', null)
insert into member values (3, '', '2024-02-29')
select * from member order by id
select nothing from nowhere
update member set name = 'Łukasz' where id = 3
update member set name = 'nobody' where id = 99
select count(*) as "how many", max(name) from member
select id from member where id > 100
insert into member values (1, 'again', null)
delete from member where id = 2
select id, name from member order by id desc
