create table shelf (id integer primary key, label varchar(12))
insert into shelf values (1, 'left')
help shelf
select label, id from shelf
